"""Reading what a person named on the command line, within the limits of the profiles."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO

from testamur.credentials.profiles import BYTES_MAX
from testamur.errors import CredentialTooLargeError, UnreadableFileError

STANDARD_INPUT = "-"


def read_credential(path: Path | str) -> bytes:
    """Read a credential whole; the text ``-`` is standard input, a path never is.

    Raises:
        UnreadableFileError: missing, a directory, or no permission.
        CredentialTooLargeError: larger than any profile takes; read no further than that.
    """
    try:
        if path == STANDARD_INPUT:
            return _read_bounded(sys.stdin.buffer)
        with Path(path).open("rb") as file:
            return _read_bounded(file)
    except (OSError, ValueError) as exc:  # ValueError: a zero byte in the name
        reason = exc.strerror if isinstance(exc, OSError) else str(exc)
        raise UnreadableFileError(f"cannot be read: {reason}") from exc


def _read_bounded(file: BinaryIO) -> bytes:
    data = file.read(BYTES_MAX + 1)
    if len(data) > BYTES_MAX:
        raise CredentialTooLargeError(f"more than {BYTES_MAX} bytes")
    return data
