"""JSON-RPC 2.0: from the bytes of a request to the bytes of an answer. No I/O.

Nothing that a client sends can raise out of :meth:`Dispatcher.answer`, and no answer shows how
the inside looks.
"""

from __future__ import annotations

import inspect
import json
import logging
from typing import Any, Final

from testamur.chain.devchain.methods import Method
from testamur.chain.devchain.refusals import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
)
from testamur.credentials.strict_json import parse
from testamur.errors import CredentialError, DevchainRefusalError, TestamurError

MAX_BODY: Final = 5 * 1024 * 1024
"""Bytes of a request, as geth has it."""

MAX_BATCH: Final = 1000
"""Requests in one batch."""

_REQUEST_FIELDS: Final = frozenset({"jsonrpc", "id", "method", "params"})
_log = logging.getLogger(__name__)


class Dispatcher:
    """Answers requests by a table of methods."""

    def __init__(self, table: dict[str, Method]) -> None:
        self._table = table
        self._signatures = {name: inspect.signature(method) for name, method in table.items()}

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of the methods that are answered."""
        return tuple(self._table)

    def answer(self, body: bytes) -> bytes:
        """Return the answer to one request or a batch; empty if there is nothing to answer."""
        try:
            # Not json.loads: py-evm raises the recursion limit so far that deep nesting would end
            # the process instead of raising. This parser looks at the depth first.
            request = parse(body, bytes_max=MAX_BODY)
        except CredentialError:
            return _encode(_error(None, PARSE_ERROR, "parse error"))
        if not isinstance(request, list):
            answer = self._one(request)
            return b"" if answer is None else _encode(answer)
        if not request:
            return _encode(_error(None, INVALID_REQUEST, "empty batch"))
        if len(request) > MAX_BATCH:
            return _encode(_error(None, INVALID_REQUEST, f"batch exceeds {MAX_BATCH} requests"))
        answers = [answer for item in request if (answer := self._one(item)) is not None]
        return _encode(answers) if answers else b""

    def _one(self, request: Any) -> dict[str, Any] | None:
        identifier = request.get("id") if isinstance(request, dict) else None
        if not _is_request(request):
            if not isinstance(identifier, str | int | float) or isinstance(identifier, bool):
                identifier = None
            return _error(identifier, INVALID_REQUEST, "invalid request")
        answer = self._run(identifier, request["method"], request.get("params", []))
        # A request without id is a notification: carried out, never answered.
        return answer if "id" in request else None

    def _run(self, identifier: Any, name: str, params: list[Any]) -> dict[str, Any]:
        method = self._table.get(name)
        if method is None:
            message = f"the method {name[:100]} does not exist/is not available"
            return _error(identifier, METHOD_NOT_FOUND, message)
        try:
            self._signatures[name].bind(*params)
        except TypeError as exc:
            return _error(identifier, INVALID_PARAMS, f"invalid params: {exc}")
        try:
            return {"jsonrpc": "2.0", "id": identifier, "result": method(*params)}
        except DevchainRefusalError as exc:
            return _error(identifier, exc.rpc_code, str(exc), exc.data)
        except TestamurError as exc:
            _log.error("the chain failed: %s", exc)
            return _error(identifier, INTERNAL_ERROR, "the chain's store failed; see its log")
        except Exception:  # noqa: BLE001  # the last line before the client
            # A bug of ours: its trace belongs in the log, not in the answer.
            _log.exception("%s failed", name)
            return _error(identifier, INTERNAL_ERROR, "internal error")


def _is_request(request: Any) -> bool:
    return (
        isinstance(request, dict)
        and set(request) <= _REQUEST_FIELDS
        and request.get("jsonrpc") == "2.0"
        and isinstance(request.get("method"), str)
        and isinstance(request.get("params", []), list)
        and isinstance(request.get("id"), str | int | float | None)
        and not isinstance(request.get("id"), bool)
    )


def _error(identifier: Any, code: int, message: str, data: str | None = None) -> dict[str, Any]:
    error: dict[str, Any] = {"code": code, "message": message}
    if data is not None:
        error["data"] = data
    return {"jsonrpc": "2.0", "id": identifier, "error": error}


def _encode(answer: Any) -> bytes:
    return json.dumps(answer, separators=(",", ":"), allow_nan=False).encode()
