"""What the tests of the documents share: the pages, their code blocks and the commands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Final, Protocol, cast

import typer.main

from testamur.cli.app import app

ROOT: Final = Path(__file__).parents[2]
BLOCK: Final = re.compile(
    r"^```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
INLINE: Final = re.compile(r"`(testamur [^`]+)`")


class Option(Protocol):
    """What is asked of a parameter of a command; its class is private to typer."""

    opts: list[str]
    secondary_opts: list[str]


class Command(Protocol):
    """What is asked of a command."""

    params: list[Option]


def page(name: str) -> str:
    """Give the text of a page, named from the top of the clone."""
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    """Give the fenced blocks in one language."""
    return [found["text"] for found in BLOCK.finditer(text) if found["language"] == language]


def commands_in(text: str) -> list[list[str]]:
    """Give the words of every ``testamur`` command line in ``text``, after its first."""
    joined = text.replace("\\\n", " ")
    lines = [shlex.split(line, comments=True) for line in joined.splitlines()]
    return [words[1:] for words in lines if words[:1] == ["testamur"]]


def inline_commands(text: str) -> list[list[str]]:
    """Give the same of what stands between backticks in prose."""
    return [shlex.split(command)[1:] for command in INLINE.findall(BLOCK.sub("", text))]


def known_commands() -> dict[str, set[str]]:
    """Give the commands that exist, ``token create`` among them, each with its options."""
    return _commands_of(typer.main.get_command(app), "")


def _commands_of(group: object, prefix: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, one in cast("dict[str, Command]", vars(group)["commands"]).items():
        if "commands" in vars(one):
            found |= _commands_of(one, f"{prefix}{name} ")
        else:
            options = {o for p in one.params for o in (*p.opts, *p.secondary_opts)}
            found[prefix + name] = {"--help"} | options
    return found


def what_does_not_exist(words: list[str]) -> list[str]:
    """Give the command, or those of its options, that ``testamur`` does not have."""
    known = known_commands()
    name, *arguments = words
    if name not in known and arguments and f"{name} {arguments[0]}" in known:
        name = f"{name} {arguments.pop(0)}"
    if name not in known:
        return [name]
    options = {word.split("=")[0] for word in arguments if word.startswith("-") and word != "-"}
    return sorted(options - known[name])
