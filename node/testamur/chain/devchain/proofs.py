"""eth_getProof (EIP-1186): accounts and storage against a block's state root."""

from __future__ import annotations

from typing import Any, Final, cast

import rlp
from eth.abc import BlockHeaderAPI
from eth.constants import BLANK_ROOT_HASH
from eth.rlp.accounts import Account
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address
from trie.hexary import HexaryTrie

from testamur.chain.devchain.encoding import hexadecimal, word
from testamur.chain.devchain.reading import DurableBlocks

_HASH_BYTES: Final = 32


def account_proof(
    chain: DurableBlocks, owner: bytes, slots: list[int], header: BlockHeaderAPI
) -> dict[str, Any]:
    """Prove an account and the given storage slots, present or absent."""
    database = chain.database()
    accounts = HexaryTrie(database, header.state_root)
    key = keccak(owner)
    encoded = accounts[key]
    account = rlp.decode(encoded, sedes=Account) if encoded else Account()
    storage = HexaryTrie(database, account.storage_root)
    return {
        "address": to_checksum_address(owner),
        "accountProof": _path(accounts, key),
        "balance": hex(account.balance),
        "nonce": hex(account.nonce),
        "codeHash": hexadecimal(account.code_hash),
        "storageHash": hexadecimal(account.storage_root),
        "storageProof": [_slot_proof(storage, slot) for slot in slots],
    }


def _slot_proof(storage: HexaryTrie, slot: int) -> dict[str, Any]:
    key = keccak(slot.to_bytes(_HASH_BYTES, "big"))
    encoded = storage[key] if storage.root_hash != BLANK_ROOT_HASH else b""
    value = rlp.decode(encoded, sedes=rlp.sedes.big_endian_int) if encoded else 0
    return {
        "key": word(slot),
        "value": hex(value),
        "proof": _path(storage, key) if storage.root_hash != BLANK_ROOT_HASH else [],
    }


def _path(trie: HexaryTrie, key: bytes) -> list[str]:
    """Nodes from the root down, in RLP; one shorter than a hash stands inside its parent."""
    nodes = [rlp.encode(node) for node in cast("Any", trie).get_proof(key)]
    return [
        hexadecimal(node)
        for position, node in enumerate(nodes)
        if position == 0 or len(node) >= _HASH_BYTES
    ]
