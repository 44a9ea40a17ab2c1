"""Executing without a transaction: eth_call and eth_estimateGas.

Each execution has a state of its own, built from durable trie nodes and thrown away, so calls
neither disturb the chain nor each other.
"""

from __future__ import annotations

from typing import Any, Final, cast

from eth.abc import BlockHeaderAPI, ComputationAPI, SignedTransactionAPI
from eth.exceptions import OutOfGas, Revert, VMError
from eth.vm.forks.prague import PragueVM
from eth.vm.spoof import SpoofTransaction
from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_typing import Address
from eth_utils.exceptions import ValidationError

from testamur.chain.devchain.parameters import Call
from testamur.chain.devchain.reading import DurableBlocks
from testamur.chain.devchain.refusals import EXECUTION_REVERTED, refused
from testamur.chain.devchain.transactions import data_floor
from testamur.errors import DevchainRefusalError

_ERROR_STRING: Final = bytes.fromhex("08c379a0")
_PANIC: Final = bytes.fromhex("4e487b71")
_STIPEND: Final = 2300


def execute(chain: DurableBlocks, request: Call, header: BlockHeaderAPI) -> bytes:
    """Return what the call returns, executed on the state after block ``header``.

    Raises:
        DevchainRefusalError: it reverted (code 3, with the revert's bytes), or failed otherwise.
    """
    limit = _gas_limit(request, header)
    computation = _run(chain, request, header, limit)
    if computation.is_error:
        raise _failure(computation.error, limit)
    return bytes(computation.output)


def estimate_gas(chain: DurableBlocks, request: Call, header: BlockHeaderAPI) -> int:
    """Return the least gas limit with which the call succeeds, to the unit.

    Raises:
        DevchainRefusalError: it fails with any gas limit, reverted (code 3) or otherwise.
    """
    enough = _gas_limit(request, header)
    computation = _run(chain, request, header, enough)
    if computation.is_error:
        raise _failure(computation.error, enough)
    floor = data_floor(request.data)
    least = max(_intrinsic_gas(request), floor)
    if _succeeds(chain, request, header, least):
        return least
    # What was used, plus the 1/64 that EIP-150 holds back at each call, is nearly always enough
    # and keeps the search short.
    used = enough - computation.get_gas_remaining()
    guess = (used + _STIPEND) * 64 // 63
    too_little = least
    if least < guess < enough:
        if _succeeds(chain, request, header, guess):
            enough = guess
        else:
            too_little = guess
    while enough - too_little > 1:
        middle = (enough + too_little) // 2
        if _succeeds(chain, request, header, middle):
            enough = middle
        else:
            too_little = middle
    return enough


def _gas_limit(request: Call, header: BlockHeaderAPI) -> int:
    return min(request.gas or header.gas_limit, header.gas_limit)


def _intrinsic_gas(request: Call) -> int:
    return cast("int", cast("Any", _transaction(request, 0, 0)).intrinsic_gas)


def _transaction(request: Call, gas: int, nonce: int) -> SignedTransactionAPI:
    unsigned = PragueVM.create_unsigned_transaction(
        nonce=nonce,
        gas_price=0,
        gas=gas,
        to=Address(request.to),
        value=request.value,
        data=request.data,
    )
    return cast("SignedTransactionAPI", SpoofTransaction(unsigned, from_=Address(request.sender)))


def _succeeds(chain: DurableBlocks, request: Call, header: BlockHeaderAPI, gas: int) -> bool:
    return not _run(chain, request, header, gas).is_error


def _run(chain: DurableBlocks, request: Call, header: BlockHeaderAPI, gas: int) -> ComputationAPI:
    # Nobody pays for a call, so the base fee is zero for it, as in geth.
    state = chain.state_at(header, base_fee=0)
    nonce = state.get_nonce(Address(request.sender))
    if state.get_balance(Address(request.sender)) < request.value:
        raise refused("insufficient funds for transfer")
    try:
        return state.apply_transaction(_transaction(request, gas, nonce))
    except ValidationError as exc:
        if gas < _intrinsic_gas(request):
            raise refused(
                f"intrinsic gas too low: gas {gas}, minimum needed {_intrinsic_gas(request)}"
            ) from exc
        raise refused(f"the call is not valid: {exc}") from exc


def _failure(error: VMError, gas: int) -> DevchainRefusalError:
    if isinstance(error, Revert):
        output = bytes(error.args[0]) if error.args else b""
        reason = _reason(output)
        message = f"execution reverted: {reason}" if reason else "execution reverted"
        return DevchainRefusalError(EXECUTION_REVERTED, message, "0x" + output.hex())
    if isinstance(error, OutOfGas):
        return refused(f"out of gas: gas limit {gas}")
    return refused(f"{type(error).__name__}: {error}")


def _reason(output: bytes) -> str:
    """Text of a Solidity ``revert("...")`` or panic; empty for custom errors."""
    try:
        if output[:4] == _ERROR_STRING:
            return str(decode(["string"], output[4:])[0])
        if output[:4] == _PANIC:
            return f"panic {decode(['uint256'], output[4:])[0]:#04x}"
    except (DecodingError, UnicodeDecodeError, OverflowError):
        return ""
    return ""
