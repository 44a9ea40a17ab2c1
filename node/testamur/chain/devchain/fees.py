"""eth_feeHistory, and the tip that is suggested."""

from __future__ import annotations

import itertools
from typing import Any, Final

from eth.abc import BlockHeaderAPI
from eth.vm.forks.london.headers import calculate_expected_base_fee_per_gas

from testamur.chain.devchain.reading import DurableBlocks
from testamur.chain.devchain.refusals import invalid_params

SUGGESTED_TIP: Final = 1_000_000_000
"""1 gwei, so that fee code sees figures of a public chain's size; no tip is needed here."""

MAX_BLOCKS: Final = 1024
_MAX_PERCENTILES: Final = 100
_MAX_BLOB_GAS: Final = 9 * 131_072  # EIP-7691


def fee_history(
    chain: DurableBlocks, count: int, newest: BlockHeaderAPI, percentiles: Any
) -> dict[str, Any]:
    """Fees of the ``count`` blocks up to ``newest``, fewer if the chain is younger.

    ``percentiles`` is None or an ascending list of numbers from 0 to 100.

    Raises:
        DevchainRefusalError: a count below 1 or above 1024, or bad percentiles.
    """
    if not 1 <= count <= MAX_BLOCKS:
        raise invalid_params(f"blockCount: expected 1 to {MAX_BLOCKS}")
    wanted = _percentiles(percentiles)
    oldest = max(0, newest.block_number - count + 1)
    headers: list[Any] = [
        *(chain.header_at(number) for number in range(oldest, newest.block_number)),
        newest,
    ]
    base_fees = [header.base_fee_per_gas for header in headers]
    base_fees.append(calculate_expected_base_fee_per_gas(newest))
    history: dict[str, Any] = {
        "oldestBlock": hex(oldest),
        "baseFeePerGas": [hex(fee) for fee in base_fees],
        "gasUsedRatio": [header.gas_used / header.gas_limit for header in headers],
        # No blob is ever carried, so a blob's gas costs its least price, 1 wei (EIP-4844).
        "baseFeePerBlobGas": ["0x1"] * len(base_fees),
        "blobGasUsedRatio": [header.blob_gas_used / _MAX_BLOB_GAS for header in headers],
    }
    if wanted:
        history["reward"] = [_rewards(chain, header, wanted) for header in headers]
    return history


def _percentiles(value: Any) -> list[float]:
    if value is None:
        return []
    numbers = isinstance(value, list) and all(type(item) in (int, float) for item in value)
    if not numbers or len(value) > _MAX_PERCENTILES:
        raise invalid_params(f"percentiles: expected at most {_MAX_PERCENTILES} numbers")
    ascending = all(low < high for low, high in itertools.pairwise(value))
    if not ascending or not all(0 <= item <= 100 for item in value):  # noqa: PLR2004  # per cent
        raise invalid_params("percentiles: expected ascending numbers from 0 to 100")
    return list(value)


def _rewards(chain: DurableBlocks, header: Any, percentiles: list[float]) -> list[str]:
    """Tips paid at the given percentiles of the block's gas; zero in an empty block."""
    contents = chain.block_transactions(header)
    totals = [0, *(receipt.gas_used for receipt in chain.block_receipts(header))]
    paid = sorted(
        (
            min(
                mined.transaction.max_priority_fee_per_gas,
                mined.transaction.max_fee_per_gas - header.base_fee_per_gas,
            ),
            totals[mined.index + 1] - totals[mined.index],
        )
        for mined in contents
    )
    if not paid:
        return ["0x0"] * len(percentiles)
    running = list(itertools.accumulate(gas for _, gas in paid))
    return [
        hex(
            next(
                tip
                for (tip, _), total in zip(paid, running, strict=True)
                if total >= header.gas_used * percentile / 100 or total == running[-1]
            )
        )
        for percentile in percentiles
    ]
