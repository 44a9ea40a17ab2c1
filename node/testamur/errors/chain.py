"""The chain, and the endpoint that it is seen through."""

from __future__ import annotations

from testamur.errors.base import TestamurError


class ChainError(TestamurError):
    """Something about the chain."""

    code = "chain_error"


class ChainUnavailableError(ChainError):
    """The endpoint gave no usable answer. This says nothing about any credential."""

    code = "chain_unavailable"
    advice = "Check the RPC endpoint; the node goes on by itself when the endpoint answers."


class ChainIdentityError(ChainError):
    """The endpoint serves another chain, genesis or contract than the node was set up for."""

    code = "chain_identity"
    advice = "Point the node at the chain and contract that its data directory was made for."


class ChainDisagreementError(ChainError):
    """The logs that an endpoint gives do not lead to the head that it gives."""

    code = "chain_disagreement"
    advice = "The endpoint omits or alters logs: use another one."


class NotFollowedYetError(ChainError):
    """The node has not followed the chain far enough to answer."""

    code = "not_followed_yet"
    advice = "Ask again in a moment: the node is still reading the chain."


class TransactionRejectedError(ChainError):
    """The endpoint refused a transaction of ours."""

    code = "transaction_rejected"
    advice = "Check the anchor account's balance and the fee cap; the batch is kept and sent again."

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        """``nonce_too_low``, ``underpriced``, ``insufficient_funds`` or ``other``."""


class DeploymentError(ChainError):
    """The ledger contract could not be deployed, or is not what was deployed."""

    code = "deployment_failed"
    advice = "Do not use this contract; deploy again, over another endpoint if it happens twice."


class DevchainRefusalError(ChainError):
    """The embedded chain refuses a request; it becomes the ``error`` of a JSON-RPC answer."""

    code = "devchain_refusal"

    def __init__(self, rpc_code: int, message: str, data: str | None = None) -> None:
        super().__init__(message)
        self.rpc_code = rpc_code
        self.data = data
