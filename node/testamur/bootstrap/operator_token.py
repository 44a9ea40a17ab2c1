"""The first token of a trial, for whoever started it, in a file that nobody else can read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from testamur.errors import (
    AccessError,
    ConfigurationError,
    StoreUnavailableError,
    TokenFormatError,
)

if TYPE_CHECKING:
    from testamur.service.access import Access
    from testamur.storage.filesystem import FileSystem

FILE_NAME: Final = "operator.token"
NAME: Final = "operator"
SCOPES: Final = ("submit", "audit", "admin")


def operator_token(access: Access, data_dir: Path, disk: FileSystem) -> Path | None:
    """Give the file with the operator's token, making both if the node never had a token.

    None where the operator took the file away, or has made or revoked tokens himself: then it is
    his business which there are.

    Raises:
        StoreUnavailableError: the file or the token could not be kept; the next start goes on.
        ConfigurationError: the file holds something else than a token.
    """
    from testamur.ledger.operator_log import NODE  # noqa: PLC0415 (`digest` needs none of it)
    from testamur.service.access import TokenRequest  # noqa: PLC0415 (as above)
    from testamur.storage.filesystem import write_durably  # noqa: PLC0415 (as above)

    path = data_dir / FILE_NAME
    text = _read(path, disk)
    has_tokens = bool(access.tokens())
    if text is None:
        if has_tokens:
            return None
        text = access.draw()
        try:
            # A crash after this write leaves a file with a token that is not good yet: the next
            # start finds it here and makes it good below.
            write_durably(disk, path, text.encode() + b"\n")
        except OSError as exc:
            raise StoreUnavailableError("write the operator's token", str(exc)) from exc
    try:
        if has_tokens:
            access.authorise(text, "submit")
        else:
            access.create(TokenRequest(NAME, SCOPES, expires_days=None), by=NODE, text=text)
    except TokenFormatError as exc:
        raise ConfigurationError(f"{path} does not hold a token: remove it") from exc
    except AccessError:  # revoked, or not one of this node any more
        return None
    return path


def _read(path: Path, disk: FileSystem) -> str | None:
    try:
        return disk.read(path).decode("ascii").strip()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as exc:
        raise ConfigurationError(f"{path} does not hold a token: remove it") from exc
    except OSError as exc:
        raise StoreUnavailableError("read the operator's token", str(exc)) from exc
