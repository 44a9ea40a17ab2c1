"""Answers to questions: from an option, else from a default that was agreed to, else a person."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

import typer

from testamur.cli import output
from testamur.errors import ConfigurationError, TestamurError

T = TypeVar("T")


class Asking:
    """Asks on the terminal, and checks each answer at once."""

    def __init__(self, *, yes: bool) -> None:
        """With ``yes`` every default is taken unasked."""
        self._yes = yes

    def ask(
        self,
        question: str,
        given: str | None,
        check: Callable[[str], T],
        *,
        option: str,
        default: str | None = None,
        hidden: bool = False,
    ) -> T:
        """Give what ``check`` makes of the answer; a person is asked again until it is content.

        ``given`` is the value of ``option``, which is named where nobody can be asked.

        Raises:
            TestamurError: of ``check``, where the answer was given or nobody can be asked.
            ConfigurationError: there is no answer, and nobody who could be asked.
        """
        if given is not None:
            return check(given)
        if self._yes and default is not None:
            return check(default)
        self._require_person(question, option)
        while True:
            try:
                return check(self._prompt(question, default, hidden=hidden))
            except TestamurError as exc:
                output.error(exc)

    def confirm(self, question: str, *, given: bool | None, option: str, default: bool) -> bool:
        """Give the answer to a question of yes or no, likewise; ``default`` is the agreed one."""
        if given is not None:
            return given
        if self._yes:
            return default
        self._require_person(question, option)
        return typer.confirm(question, default=default, err=True)

    def new_password(self, question: str) -> str:
        """Ask twice for a password that nobody sees; it is not empty."""
        self._require_person(question, "TESTAMUR_ANCHOR_KEYSTORE_PASSWORD")
        text: str = typer.prompt(question, hide_input=True, confirmation_prompt=True, err=True)
        return text

    def can_ask(self) -> bool:
        """Whether somebody is there to correct an answer."""
        return not self._yes and sys.stdin is not None and sys.stdin.isatty()

    def _require_person(self, question: str, option: str) -> None:
        if sys.stdin is None or not sys.stdin.isatty():
            raise ConfigurationError(
                f"{question.rstrip('?')}: give it as {option}, or run this in a terminal"
            )

    def _prompt(self, question: str, default: str | None, *, hidden: bool) -> str:
        shown = default is not None and default != ""
        text: str = typer.prompt(
            question, default=default, hide_input=hidden, show_default=shown, err=True
        )
        return text.strip()
