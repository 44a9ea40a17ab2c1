"""The root of a batch file, derived a second time by somebody else's code.

merkletools pairs neighbours and lifts an odd last node, as RFC 9162 does; it neither tells leaves
from nodes nor commits to the number of leaves, so that it is given leaf hashes made here and a
node hash that puts 0x01 in front. It shares no code with ``testamur.merkle`` and is never a
verdict's only basis: a batch is sealed when both agree.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from blockcerts_merkletools import MerkleTools

from testamur.errors import ReadBackError
from testamur.merkle.hashing import Hash32

_ENTRY_BYTES = 32


class _Rfc9162Tools(MerkleTools):  # type: ignore[misc] # published without types
    def __init__(self) -> None:
        super().__init__("sha256")
        self.hash_function = _node


def _node(children: bytearray | bytes) -> Any:
    return sha256(b"\x01" + children)


def root_of_file(data: bytes) -> Hash32:
    """Derive the root of a batch file's bytes; at least one entry, whole entries.

    Raises:
        ReadBackError: empty, or not whole entries.
    """
    if not data or len(data) % _ENTRY_BYTES:
        raise ReadBackError(f"a file of {len(data)} bytes is not a batch")
    tools = _Rfc9162Tools()
    tools.add_leaf(
        [
            sha256(b"\x00" + data[start : start + _ENTRY_BYTES]).hexdigest()
            for start in range(0, len(data), _ENTRY_BYTES)
        ]
    )
    tools.make_tree()
    return Hash32(bytes.fromhex(tools.get_merkle_root()))
