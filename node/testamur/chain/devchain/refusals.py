"""JSON-RPC error codes, and refusals worded as other Ethereum clients word them.

Client libraries recognise a refusal by its text, so the text is part of the interface: it follows
geth's (core/txpool, core/error.go), up to the figures behind the colon.
"""

from __future__ import annotations

from typing import Final

from testamur.errors import DevchainRefusalError

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
SERVER_ERROR: Final = -32000
"""Any refusal that depends on the state of the chain (EIP-1474: invalid input)."""
LIMIT_EXCEEDED: Final = -32005
EXECUTION_REVERTED: Final = 3
"""Like geth: the revert's bytes are in the error's ``data``."""


def invalid_params(message: str) -> DevchainRefusalError:
    """Return the refusal of parameters that no state of the chain could make right."""
    return DevchainRefusalError(INVALID_PARAMS, message)


def refused(message: str) -> DevchainRefusalError:
    """Return the refusal of what this state of the chain does not allow."""
    return DevchainRefusalError(SERVER_ERROR, message)
