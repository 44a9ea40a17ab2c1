"""Where the command line takes a token from: the environment or a file, never an argument.

Arguments are seen by whoever lists the machine's processes, and kept by shells.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import typer

from testamur.cli import output
from testamur.errors import ConfigurationError

TOKEN_VARIABLE: Final = "TESTAMUR_TOKEN"  # noqa: S105 - its name, not its value
FILE_BYTES_MAX: Final = 1024

TokenFile = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        metavar="FILE",
        help=f"File with the token of your node. Default: the variable {TOKEN_VARIABLE}.",
    ),
]
InsecureHttp = Annotated[
    bool,
    typer.Option(
        "--insecure-http",
        help="Send the token over plain http to another machine, where it can be read on the way.",
    ),
]


def given_token(file: Path | None, environment: Mapping[str, str] = os.environ) -> str | None:
    """Give the token from ``file``, or else from the environment; None where there is none.

    A file that others can read is used, with a warning.

    Raises:
        ConfigurationError: the file cannot be read or holds no token; it is never quoted.
    """
    if file is None:
        text = environment.get(TOKEN_VARIABLE)
        return None if text is None else _checked(text, f"the variable {TOKEN_VARIABLE}")
    try:
        with file.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            data = opened.read(FILE_BYTES_MAX + 1)
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "its name cannot be one"
        raise ConfigurationError(f"the token file cannot be read: {reason}") from exc
    if mode & 0o077:
        output.note(f"warning: others can read {output.printable(str(file))}: chmod 600 it")
    return _checked(data[: FILE_BYTES_MAX + 1].decode("ascii", "replace"), "the token file")


def _checked(text: str, where: str) -> str:
    token = text.strip()
    # What a header can hold in one word; the node decides whether it is a token of its.
    if not 0 < len(token) < FILE_BYTES_MAX or not all("!" <= char <= "~" for char in token):
        raise ConfigurationError(f"{where} does not hold one token and nothing else")
    return token
