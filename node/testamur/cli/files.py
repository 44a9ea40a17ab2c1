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
        UnreadableFileError, CredentialTooLargeError: as :func:`read_file`; the limit is that of
            the profiles.
    """
    return read_file(path, bytes_max=BYTES_MAX)


def read_file(path: Path | str, *, bytes_max: int) -> bytes:
    """Read a file of at most ``bytes_max`` bytes; the text ``-`` is standard input.

    Raises:
        UnreadableFileError: missing, a directory, or no permission.
        CredentialTooLargeError: larger; read no further than that.
    """
    try:
        if path == STANDARD_INPUT:
            return _read_bounded(sys.stdin.buffer, bytes_max)
        with Path(path).open("rb") as file:
            return _read_bounded(file, bytes_max)
    except (OSError, ValueError) as exc:  # ValueError: a zero byte in the name
        reason = exc.strerror if isinstance(exc, OSError) else str(exc)
        raise UnreadableFileError(f"cannot be read: {reason}") from exc


def _read_bounded(file: BinaryIO, bytes_max: int) -> bytes:
    data = file.read(bytes_max + 1)
    if len(data) > bytes_max:
        raise CredentialTooLargeError(f"more than {bytes_max} bytes")
    return data
