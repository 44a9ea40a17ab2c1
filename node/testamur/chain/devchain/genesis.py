"""The fixed first block of the embedded chain, the same on every machine.

A constant genesis makes a constant genesis hash, so that a trust file or a receipt made on one
machine's embedded chain is recognised as such on every other, and never taken for a real one.
"""

from __future__ import annotations

from typing import Any, Final

from testamur.chain.devchain.accounts import ACCOUNTS, FUNDS_WEI

CHAIN_ID: Final = 1337
"""The id that wallets and tools reserve for a chain on one's own machine (EIP-155 replay
protection then keeps transactions signed here from being valid on any public chain)."""

GENESIS_HASH: Final = bytes.fromhex(
    "cc5b0ca58c8c9847e4d3c231016b893b9db723cbfab14ea8c8010648f89e6080"
)
"""Hash of block 0. It changes if a single value below changes, and a test guards it."""

GENESIS_TIMESTAMP: Final = 1_767_225_600
"""2026-01-01T00:00:00Z; later blocks take the clock's time."""

BLOCK_GAS_LIMIT: Final = 30_000_000
"""Constant in every block, like the public chain's for years."""

INITIAL_BASE_FEE: Final = 1_000_000_000
"""1 gwei; moves by EIP-1559 from block 1 on, in practice downwards, to 7 wei."""

FEE_RECIPIENT: Final = bytes(20)
"""Tips go to the zero address: nobody earns anything here."""

BEACON_ROOT: Final = bytes(32)
"""No beacon chain, so no root of one (EIP-4788), in every header."""

EXTRA_DATA: Final = b"testamur devchain"
"""At most 32 bytes, in every header: shows in any explorer what chain this is."""


def genesis_header_fields() -> dict[str, Any]:
    """Header fields of block 0; the state root follows from :func:`genesis_state`."""
    return {
        "timestamp": GENESIS_TIMESTAMP,
        "gas_limit": BLOCK_GAS_LIMIT,
        "base_fee_per_gas": INITIAL_BASE_FEE,
        "coinbase": FEE_RECIPIENT,
        "extra_data": EXTRA_DATA,
        "parent_beacon_block_root": BEACON_ROOT,
    }


def genesis_state() -> dict[bytes, dict[str, Any]]:
    """Accounts of block 0, in the form that py-evm takes.

    The system contracts of EIP-2935 and EIP-4788 are left out: they record what a beacon chain
    says, and there is none here.
    """
    return {
        bytes.fromhex(account.address[2:]): {
            "balance": FUNDS_WEI,
            "nonce": 0,
            "code": b"",
            "storage": {},
        }
        for account in ACCOUNTS
    }
