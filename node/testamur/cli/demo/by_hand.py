"""What people of the demo do without Testamur: one tampers, one re-derives a receipt.

No import from Testamur but its error: the point is how little this needs.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from testamur.errors import DemoError


def improve(data: bytes) -> bytes:
    """Change one digit, as an applicant might, so that the file still opens."""
    for position in range(len(data) // 2, len(data)):
        if data[position : position + 1] in {b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8"}:
            digit = str(int(data[position : position + 1]) + 1).encode()
            return data[:position] + digit + data[position + 1 :]
    raise DemoError("the sample has no digit to improve")


def rederive(receipt: dict[str, Any]) -> bool:
    """Climb from the entry to the ledger's root by RFC 9162, sharing no code with the product."""

    def climb(value: bytes, index: int, size: int, path: list[str]) -> bytes:
        last, steps = size - 1, iter(path)
        while last:
            if index % 2:
                value = sha256(b"\x01" + bytes.fromhex(next(steps)) + value).digest()
            elif index < last:
                value = sha256(b"\x01" + value + bytes.fromhex(next(steps))).digest()
            index, last = index // 2, last // 2
        return value

    record, ledger = receipt["record"], receipt["ledger"]
    leaf = sha256(b"\x00" + bytes.fromhex(receipt["entry"])).digest()
    batch_root = climb(leaf, receipt["batch"]["index"], record["count"], receipt["batch"]["path"])
    body = (
        bytes([record["kind"]])
        + record["member"].to_bytes(4)
        + record["time"].to_bytes(8)
        + record["count"].to_bytes(8)
        + batch_root
        + record["status_count"].to_bytes(8)
        + bytes.fromhex(record["status_root"])
    )
    leaf = sha256(b"\x00" + body).digest()
    return climb(leaf, record["index"], ledger["size"], record["path"]) == bytes.fromhex(
        ledger["root"]
    )
