"""The first page is short, plain, and names only what there is."""

from __future__ import annotations

import re
from typing import Final

import pytest

from testamur.cli.app import app
from tests.support.documents import (
    ROOT,
    blocks,
    commands_in,
    inline_commands,
    known_commands,
    page,
    what_does_not_exist,
)

README: Final = page("README.md")
FIRST_SCREEN: Final = README.split("\n## ")[0]
LINES_MAX: Final = 40
OUR_WORDS: Final = {"credential", "receipt", "node", "anchor", "verdict"}
ORDINARY: Final = {"auditor", "change", "check"}
"""Terms of the glossary that mean on the first screen what they mean everywhere."""
JARGON: Final = {
    *("abi", "block", "blockchain", "chain", "cryptographic", "decentralised", "distributed"),
    *("ethereum", "hash", "merkle", "proof", "rpc", "sha", "smart", "token", "tree", "trustless"),
}
"""Words that no newcomer needs, beyond the terms of the glossary."""
COMMANDS: Final = [words for block in blocks(README, "sh") for words in commands_in(block)]


def terms_of_the_glossary() -> set[str]:
    rows = re.findall(r"^\| ([^|]+) \|", page("docs/glossary.md"), re.MULTILINE)
    return {term.strip() for row in rows for term in row.split(",")} - {"Term", "---"}


def stands_in(word: str, text: str) -> bool:
    return re.search(rf"\b{re.escape(word)}(?:s|es|ed|d|ing)?\b", text, re.IGNORECASE) is not None


def test_the_first_screen_is_short() -> None:
    assert len(FIRST_SCREEN.splitlines()) <= LINES_MAX


def test_the_first_screen_explains_the_five_words() -> None:
    assert {word for word in OUR_WORDS if stands_in(word, FIRST_SCREEN)} == OUR_WORDS


def test_the_first_screen_has_no_other_jargon() -> None:
    unwanted = (terms_of_the_glossary() | JARGON) - OUR_WORDS - ORDINARY - {"anchored"}
    assert unwanted > {"commitment", "ledger", "entry", "record"}
    assert [word for word in sorted(unwanted) if stands_in(word, FIRST_SCREEN)] == []


def test_the_first_screen_is_for_four_people_and_has_two_commands() -> None:
    for reader in ("registrar", "student", "employer", "auditor"):
        assert f"**As {reader}**" in FIRST_SCREEN
    assert re.findall(r"^    (\S+)$", FIRST_SCREEN, re.MULTILINE) == [
        "./scripts/demo",
        "./scripts/test",
    ]


def test_its_scripts_are_there() -> None:
    for name in set(re.findall(r"\./(scripts/\w+)", README)):
        assert (ROOT / name).is_file()


def test_there_is_one_picture() -> None:
    (picture,) = blocks(README, "mermaid")
    assert picture.startswith("flowchart")
    assert picture.count("subgraph") == len(re.findall(r"^ *end$", picture, re.MULTILINE))


@pytest.mark.parametrize("words", COMMANDS + inline_commands(README), ids=" ".join)
def test_a_command_that_is_shown_exists_with_its_options(words: list[str]) -> None:
    assert what_does_not_exist(words) == []


def test_a_command_that_does_not_exist_would_be_found() -> None:
    assert what_does_not_exist(["verify", "file", "--chain", "x"]) == ["--chain"]
    assert what_does_not_exist(["revoke"]) == ["revoke"]


def test_the_first_session_goes_the_whole_way() -> None:
    assert [words[0] for words in COMMANDS][:6] == [
        "serve",
        "digest",
        "commit",
        "submit",
        "receipt",
        "verify",
    ]
    assert set(known_commands()) >= {words[0] for words in COMMANDS}
    assert app.info.name == "testamur"


def test_its_samples_are_there() -> None:
    for name in set(re.findall(r"examples/[\w./-]+\w", README)):
        assert (ROOT / name).exists()
