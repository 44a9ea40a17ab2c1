"""From the bytes that a client sends to a transaction that may enter the pool.

Everything that can be refused without looking at the chain's state is refused here.
"""

from __future__ import annotations

from typing import Final

from eth.abc import SignedTransactionAPI
from eth.exceptions import PyEVMError
from eth.vm.forks.prague.transactions import PragueTransactionBuilder
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError
from rlp.exceptions import RLPException

from testamur.chain.devchain.genesis import BLOCK_GAS_LIMIT, CHAIN_ID
from testamur.chain.devchain.pool import Waiting
from testamur.chain.devchain.refusals import invalid_params, refused

MAX_BYTES: Final = 128 * 1024
"""Longest transaction taken, as geth's pool has it (EIP-3860 keeps contracts below it)."""

_FIRST_LIST_BYTE: Final = 0x80  # EIP-2718: from here on an untyped transaction
_SUPPORTED_TYPES: Final = (0, 1, 2)
_GAS_A_FLOOR_TOKEN: Final = 10
_BASE_GAS: Final = 21_000
_MAX_NONCE: Final = 2**64 - 1  # EIP-2681
_HALF_CURVE_ORDER: Final = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


def decode(raw: bytes) -> SignedTransactionAPI:
    """Parse a signed transaction of type 0, 1 or 2.

    Raises:
        DevchainRefusalError: not a transaction, or of a type that this chain does not take.
    """
    if len(raw) > MAX_BYTES:
        raise refused(f"oversized data: transaction size {len(raw)}, limit {MAX_BYTES}")
    if not raw:
        raise invalid_params("the transaction is empty")
    if raw[0] < _FIRST_LIST_BYTE and raw[0] not in _SUPPORTED_TYPES:
        raise refused(f"transaction type not supported: {raw[0]}")
    try:
        transaction = PragueTransactionBuilder.decode(raw)
        canonical = transaction.encode() == raw
    except (RLPException, PyEVMError, ValidationError, ValueError, TypeError) as exc:
        raise invalid_params("not a signed transaction in RLP") from exc
    if not canonical:
        raise invalid_params("not the canonical RLP of a signed transaction")
    return transaction


def waiting(transaction: SignedTransactionAPI) -> Waiting:
    """Check what does not depend on the chain's state, and recover the sender.

    Raises:
        DevchainRefusalError: worded as geth words it.
    """
    if transaction.chain_id != CHAIN_ID:
        # An unprotected signature (before EIP-155) is refused too: it would be valid anywhere.
        raise refused(
            f"invalid sender: invalid chain id for signer: have {transaction.chain_id} "
            f"want {CHAIN_ID}"
        )
    if transaction.max_priority_fee_per_gas > transaction.max_fee_per_gas:
        raise refused("max priority fee per gas higher than max fee per gas")
    if transaction.nonce >= _MAX_NONCE:
        raise refused("nonce has max value")
    if transaction.gas > BLOCK_GAS_LIMIT:
        raise refused("exceeds block gas limit")
    needed = minimum_gas(transaction)
    if transaction.gas < needed:
        raise refused(f"intrinsic gas too low: gas {transaction.gas}, minimum needed {needed}")
    try:
        if transaction.s > _HALF_CURVE_ORDER:  # EIP-2
            raise refused("invalid sender: invalid transaction v, r, s values")
        sender = bytes(transaction.sender)
    except (BadSignature, ValidationError, ValueError) as exc:
        raise refused("invalid sender: invalid transaction v, r, s values") from exc
    return Waiting(
        hash=bytes(transaction.hash),
        transaction=transaction,
        sender=sender,
        nonce=transaction.nonce,
        gas=transaction.gas,
        value=transaction.value,
        max_fee=transaction.max_fee_per_gas,
        max_tip=transaction.max_priority_fee_per_gas,
    )


def minimum_gas(transaction: SignedTransactionAPI) -> int:
    """Gas below which a transaction is invalid: intrinsic, or EIP-7623's floor for its data."""
    return max(transaction.get_intrinsic_gas(), data_floor(transaction.data))


def data_floor(data: bytes) -> int:
    """EIP-7623: 10 gas a token, a zero byte being one token and any other byte four."""
    zeros = data.count(0)
    return _BASE_GAS + _GAS_A_FLOOR_TOKEN * (zeros + 4 * (len(data) - zeros))
