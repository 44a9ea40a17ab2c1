"""What a transaction offers for gas (EIP-1559), pure."""

from __future__ import annotations

from dataclasses import dataclass

from testamur.chain.client import Fees


@dataclass(frozen=True, slots=True)
class OfferedFees:
    """The two fee fields of a transaction, in wei per unit of gas."""

    fee_max_wei: int
    """Most that a unit of gas may cost, tip included."""
    tip_max_wei: int
    """Most of it for the block's builder."""


def capped_fees(now: Fees, *, cap_wei: int) -> OfferedFees | None:
    """Offer twice the base fee and the tip, never more than ``cap_wei`` for a unit of gas.

    Twice the base fee stays good for six full blocks in a row, each of which raises it by an
    eighth. None where even the present base fee and tip exceed the cap: then it is dearer to
    anchor than the operator allows, and waiting is right.
    """
    if now.base_fee_wei + now.tip_wei > cap_wei:
        return None
    fee_max = min(2 * now.base_fee_wei + now.tip_wei, cap_wei)
    return OfferedFees(fee_max_wei=fee_max, tip_max_wei=now.tip_wei)
