"""Ethereum: the contract client, anchoring, following, and the embedded chain."""
