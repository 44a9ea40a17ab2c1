"""Trees and proofs."""

from __future__ import annotations

from testamur.errors.base import TestamurError


class MerkleError(TestamurError):
    """A tree or a proof is not what it should be."""

    code = "merkle_error"
    advice = "The proof does not belong to this entry, or it was altered; get a new receipt."


class HashLengthError(MerkleError):
    """A hash is not 32 bytes."""

    code = "hash_length"

    def __init__(self, what: str, length: int) -> None:
        super().__init__(f"{what} has {length} bytes, a hash has 32")
        self.length = length


class TreeRangeError(MerkleError):
    """An index or a size lies outside the tree."""

    code = "tree_range"


class ProofLengthError(MerkleError):
    """A proof is longer or shorter than its index and size demand."""

    code = "proof_length"

    def __init__(self, *, got: int, expected: int) -> None:
        super().__init__(f"the proof has {got} hashes, index and size demand {expected}")
        self.got = got
        self.expected = expected


class RootMismatchError(MerkleError):
    """A proof of the right length leads to another root."""

    code = "root_mismatch"

    def __init__(self, *, expected: bytes, computed: bytes) -> None:
        super().__init__(f"the proof leads to {computed.hex()}, not to {expected.hex()}")
        self.expected = expected
        self.computed = computed
