"""The contract's logs, read strictly into records of the ledger.

A log comes from an endpoint that may lie. What is malformed as JSON-RPC is no answer; what is
well-formed and cannot have come from this contract is a disagreement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from testamur.chain import abi
from testamur.chain.rpc_values import data, hash_of, items, mapping, quantity
from testamur.errors import ChainDisagreementError, ChainUnavailableError, RecordFormatError
from testamur.ledger.records import Record, RecordKind, governance_record
from testamur.merkle.hashing import Hash32
from testamur.storage.model import ADDRESS_BYTES, FollowedRecord

ANCHORED: Final = abi.event_layout("Anchored")
GOVERNED: Final = abi.event_layout("Governed")


@dataclass(frozen=True, slots=True)
class LedgerEvent:
    """One log of the ledger contract, decoded, and where it stands on the chain."""

    index: int
    """Index of the record in the ledger, from 0."""
    record: Record
    """The record that the contract appended; rebuilt from the log."""
    sequence: int | None
    """The member's sequence that an anchor consumed; None for governance."""
    change: bytes | None
    """ABI bytes of a governance change; None for an anchor."""
    block_number: int
    """Block that holds the log."""
    block_hash: Hash32
    """Hash of that block."""
    tx_hash: Hash32
    """Transaction that emitted it."""
    transaction_index: int
    """Its position in the block."""
    log_index: int
    """The log's position in the block."""

    def followed(self) -> FollowedRecord:
        """Give the form that the store keeps."""
        return FollowedRecord(
            index=self.index,
            record=self.record.encode(),
            block_number=self.block_number,
            block_hash=self.block_hash,
            tx_hash=self.tx_hash,
            transaction_index=self.transaction_index,
            log_index=self.log_index,
            change=self.change,
        )


def decode_log(log: Mapping[str, Any], contract: bytes) -> LedgerEvent:
    """Read one log of ``eth_getLogs`` as an event of ``contract`` (20 bytes).

    Raises:
        ChainUnavailableError: not a log, or one that a reorganisation is just taking away.
        ChainDisagreementError: a log that ``contract`` cannot have emitted.
    """
    if log.get("removed", False) is not False:
        raise ChainUnavailableError("a log is being removed by a reorganisation; ask again")
    if data(log.get("address"), "log address", length=ADDRESS_BYTES) != contract:
        raise ChainDisagreementError("a log of another contract was given for the ledger's")
    topics = [hash_of(topic, "log topic") for topic in items(log.get("topics"), "log topics")]
    body = data(log.get("data"), "log data")
    try:
        index, record, sequence, change = _content(topics, body)
    except (abi.NonCanonicalError, RecordFormatError) as exc:
        raise ChainDisagreementError(f"a log that the ledger cannot have emitted: {exc}") from exc
    return LedgerEvent(
        index=index,
        record=record,
        sequence=sequence,
        change=change,
        block_number=quantity(log.get("blockNumber"), "log blockNumber"),
        block_hash=hash_of(log.get("blockHash"), "log blockHash"),
        tx_hash=hash_of(log.get("transactionHash"), "log transactionHash"),
        transaction_index=quantity(log.get("transactionIndex"), "log transactionIndex"),
        log_index=quantity(log.get("logIndex"), "log logIndex"),
    )


def decode_logs(
    answer: object, contract: bytes, *, from_block: int, to_block: int
) -> tuple[LedgerEvent, ...]:
    """Read the answer of ``eth_getLogs`` for the blocks [from_block, to_block], inclusive.

    In chain order. Raises as :func:`decode_log`; also ChainDisagreementError for a log outside
    the range, or two at one place.
    """
    found = [decode_log(mapping(log, "log"), contract) for log in items(answer, "list of logs")]
    found.sort(key=lambda event: (event.block_number, event.log_index))
    places = [(event.block_number, event.log_index) for event in found]
    if len(set(places)) != len(places):
        raise ChainDisagreementError("two logs were given for one place in a block")
    if any(not from_block <= number <= to_block for number, _ in places):
        raise ChainDisagreementError("a log was given from outside the blocks asked for")
    return tuple(found)


def _content(topics: list[Hash32], body: bytes) -> tuple[int, Record, int | None, bytes | None]:
    """Give index, record, sequence and change of a log."""
    if topics[:1] == [GOVERNED.topic]:
        values = GOVERNED.decode(topics, body)
        change = values["change"]
        return values["index"], governance_record(change), None, change
    values = ANCHORED.decode(topics, body)
    record = Record(
        kind=RecordKind.ANCHOR,
        member=values["member"],
        time=values["time"],
        count=values["count"],
        root=Hash32(values["root"]),
        status_count=values["statusCount"],
        status_root=Hash32(values["statusRoot"]),
    )
    return values["index"], record, values["sequence"], None
