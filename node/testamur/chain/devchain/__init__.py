"""The embedded chain: py-evm behind JSON-RPC on loopback, durable in one SQLite file.

For trials, demonstrations and tests. It is a real EVM with real headers, receipts and finality
tags, so that everything which works here works on a public chain; it is not a network, and its
accounts are known to everybody.
"""
