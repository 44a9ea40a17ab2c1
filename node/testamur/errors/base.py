"""The base of all errors that we expect."""

from __future__ import annotations

from typing import ClassVar


class TestamurError(Exception):
    """Base of all that may go wrong in normal operation."""

    code: ClassVar[str] = "testamur_error"
    """Stable, lower-case, for programs; listed in docs/formats/errors.md."""

    advice: ClassVar[str] = ""
    """What the person who meets the error can do about it."""
