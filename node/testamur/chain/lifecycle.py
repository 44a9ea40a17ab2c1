"""The states of an anchor and every transition between them, pure."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """Where the anchoring of a batch stands."""

    IDLE = "idle"
    SEALED = "sealed"
    SIGNED = "signed"
    BROADCAST = "broadcast"
    MINED = "mined"
    FINAL = "final"
    REVERTED = "reverted"
    SEQUENCE_LOST = "sequence_lost"
    NONCE_LOST = "nonce_lost"
    KEY_INACTIVE = "key_inactive"
    UNFUNDED = "unfunded"
    FEE_TOO_HIGH = "fee_too_high"
    REFUSED = "refused"
