"""The tree, pure: hashing, roots and proofs of RFC 9162 section 2.1. No I/O, no clock."""
