"""The pages for registrars, verifiers and auditors: every command on them does what it says."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from testamur.bootstrap import open_node
from tests.support.devchain import FAST_BLOCKS_SECONDS
from tests.support.documents import blocks, commands_in, page, what_does_not_exist
from tests.support.node import EXAMPLES, Consortium, founded
from tests.support.optional import require
from tests.support.processes import environment, node_process, run
from tests.support.shell_page import Ran, run_page
from tests.support.waiting import wait_until

PAGES: Final = ("for-registrars", "for-verifiers", "for-auditors")
LINES_MAX: Final = 160
"""About two printed pages: what is longer is not read."""
PDF: Final = (EXAMPLES / "aldermere-certificate.pdf").read_bytes()


@dataclass(frozen=True, slots=True)
class Served:
    """Two members' nodes as processes, and a token of the first."""

    url: str
    other_url: str
    token: str

    def environment(self) -> dict[str, str]:
        """Give what a reader has set before he begins."""
        return environment(
            {
                "NODE": self.url,
                "OTHER": self.other_url,
                "TESTAMUR_NODE": self.url,
                "TESTAMUR_TOKEN": self.token,
                "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            }
        )


def a_token(consortium: Consortium) -> str:
    """Make a token as an operator does, on a node that is bound to its ledger and stopped."""
    settings = consortium.settings(1)
    with open_node(settings, clock=time.time):
        pass
    scopes = ("--scope", "submit", "--scope", "audit")
    made = run(
        "token", "create", "--data-dir", settings.data_dir, "--name", "pages", *scopes, "--json"
    )
    assert made.returncode == 0, made.stderr
    return str(json.loads(made.stdout)["token"])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    for tool in ("curl", "jq", "sha256sum"):
        require(shutil.which(tool), tool)
    with (
        founded(tmp_path_factory.mktemp("pages"), block_interval=FAST_BLOCKS_SECONDS) as consortium,
        ExitStack() as stack,
    ):
        token = a_token(consortium)
        configs = [
            consortium.write_config(1, open_submission=False),
            consortium.write_config(2, open_submission=False),
        ]
        first, second = (stack.enter_context(node_process(config)) for config in configs)
        for node in (first, second):
            wait_until(node.ready, 40)
        yield Served(first.url, second.url, token)


def ran(name: str, folder: Path, served: Served) -> list[Ran]:
    return run_page(page(f"docs/{name}.md"), folder, served.environment())


def output_of(done: list[Ran], words: str) -> str:
    """Give what the one block wrote in which ``words`` stand."""
    (found,) = [one for one in done if words in one.text]
    return found.output


def objects(text: str) -> list[dict[str, Any]]:
    """Read JSON objects that stand one after the other."""
    decoder, found, rest = json.JSONDecoder(), [], text.strip()
    while rest:
        value, end = decoder.raw_decode(rest)
        found.append(value)
        rest = rest[end:].strip()
    return found


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_short_and_names_only_commands_that_there_are(name: str) -> None:
    text = page(f"docs/{name}.md")
    assert len(text.splitlines()) <= LINES_MAX
    commands = [words for block in blocks(text, "sh") for words in commands_in(block)]
    assert commands
    assert [wrong for words in commands for wrong in what_does_not_exist(words)] == []


@pytest.mark.slow  # two nodes, and every command of the page
def test_a_registrar_gets_bundles_by_what_the_page_says(tmp_path: Path, served: Served) -> None:
    (tmp_path / "diplomas").mkdir()
    for number, name in enumerate(("degree", "minor", "Zoë, second")):
        (tmp_path / "diplomas" / f"{name}.pdf").write_bytes(PDF + b"\n%% %d" % number)
    (tmp_path / "listed.pdf").write_bytes(PDF + b"\n%% listed")
    (tmp_path / "list.csv").write_text("path,student\nlisted.pdf,4711\n")
    (tmp_path / "template.pdf").write_bytes(PDF + b"\n%% PLACEHOLDER\n")
    (tmp_path / "award.pdf").write_bytes(PDF + b"\n%% award")

    done = ran("for-registrars", tmp_path, served)

    assert "VERIFIED" in output_of(done, "testamur verify diplomas/")
    assert "VERIFIED" in output_of(done, "testamur verify alone.pdf")
    for bundle in (
        *(f"diplomas/{name}.pdf" for name in ("degree", "minor", "Zoë, second")),
        *(f"certificates/{number}.pdf" for number in (1, 2, 3)),
        "bundles/listed.pdf",
        "award.pdf",
    ):
        assert (tmp_path / f"{bundle}.testamur.zip").is_file(), bundle
    assert "4711" in (tmp_path / "bundles" / "issued.csv").read_text()
    assert len(list((tmp_path / "qr").iterdir())) == 3


def prepared(folder: Path, served: Served) -> None:
    """Issue what a verifier is sent: a bundle, a file with its receipt, a file with a locator."""
    given = served.environment()
    reserved = run("reserve", "1", "--json", given=given)
    locator = json.loads(reserved.stdout)["locator"]
    work = folder / "at-the-registrar"
    work.mkdir()
    (work / "degree.pdf").write_bytes(PDF + b"\n%% " + folder.name.encode())
    (work / "certificate.pdf").write_bytes(PDF + b"\n%% " + locator.encode() + b"\n")
    issued = run("issue", work, "--seal-now", given=given)
    assert issued.returncode == 0, issued.stderr
    fetched = run("receipt", work / "degree.pdf", "--wait", "60", given=given)
    assert fetched.returncode == 0, fetched.stderr
    for name in ("degree.pdf", "degree.pdf.receipt.json", "degree.pdf.testamur.zip"):
        shutil.copy(work / name, folder)
    shutil.copy(work / "certificate.pdf", folder)


@pytest.mark.slow  # as above
def test_a_verifier_gets_verdicts_by_what_the_page_says(tmp_path: Path, served: Served) -> None:
    prepared(tmp_path, served)
    done = ran("for-verifiers", tmp_path, served)
    by_command = output_of(done, "certificate.pdf --node")
    assert by_command.count("VERIFIED") == 2
    assert '"outcome": "accept"' in by_command
    assert "INVALID" in output_of(done, "improved.pdf")
    uploaded = objects(output_of(done, "--form file=@certificate.pdf"))
    assert [report["outcome"] for report in uploaded] == ["accept", "accept", "accept"]
    (by_digest,) = objects(output_of(done, "sha256sum degree.pdf"))
    assert by_digest["outcome"] == "accept"


@pytest.mark.slow  # as above
def test_an_auditor_derives_the_ledger_by_what_the_page_says(
    tmp_path: Path, served: Served
) -> None:
    prepared(tmp_path, served)
    done = ran("for-auditors", tmp_path, served)
    theirs, ours = objects(output_of(done, "$OTHER/v1/ledger/consistency"))
    assert theirs["root"] == ours["root"]
    records, batches = objects(output_of(done, "/v1/ledger/records?start=0"))
    assert len(records["records"]) > 1
    assert batches["batches"]
    (batch,) = objects(output_of(done, "--output batch"))
    assert (tmp_path / "batch").stat().st_size == 32 * batch["count"]
    assert "token" in output_of(done, "testamur log")
    (program,) = [
        block for block in blocks(page("docs/for-auditors.md"), "python") if "urlopen" in block
    ]
    derived = subprocess.run(
        [sys.executable, "-c", program, served.url], capture_output=True, text=True, check=True
    )
    assert derived.stdout == "True\n"
