"""The broken half of tests/vectors/ledger: one mutation a file, which names it.

Each has the code that must refuse it, and what would be possible if it did not. Bytes that do
not parse stand under ``reading``; receipts, trust files and views that parse and must not verify
stand under ``verification``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

from eth_abi.abi import encode

from testamur.ledger.receipt_json import serialise_receipt
from testamur.merkle.hashing import EMPTY_ROOT
from tests.support.ledger_vectors import (
    RECEIPT,
    Case,
    World,
    case,
    hex_file,
    json_file,
    salt,
    view_file,
    world,
)
from tests.support.paper_ledger import PaperLedger

OTHER: Final = salt(b"another hash")
MEMBER: Final = "(address,address,bytes32,string,string,string)"


@dataclass
class _Refused:
    """Files that read and must not verify."""

    files: dict[str, bytes] = field(default_factory=dict)
    """Name below broken/ → content."""
    lines: list[Case] = field(default_factory=list)
    """Their lines in the index."""

    def add(self, stops: str, line: Case, **files: bytes) -> None:
        """Add a line, and the files that it needs, by their names with ``_`` for ``-``."""
        self.lines.append(line | {"stops": stops})
        for name, content in files.items():
            self.files[name.replace("_", "-") + ".json"] = content

    def receipt(self, name: str, content: bytes, check: tuple[str, str], stops: str) -> None:
        """Add a receipt that fails at ``check``, its name and its code."""
        self.files[f"receipt-{name}.json"] = content
        self.lines.append(
            case(
                receipt=f"broken/receipt-{name}.json",
                verdict="invalid",
                check=(check[0], "invalid", check[1]),
            )
            | {"stops": stops}
        )


def files(good: dict[str, bytes]) -> dict[str, bytes]:
    """Broken files, and their index, below tests/vectors/ledger/broken."""
    given = world()
    unread = {**_records(given), **_births(given), **_trusts(good), **_receipts(good)}
    refused = _Refused()
    _other(refused, good)
    _paths(refused, good)
    _forged(refused, given)
    _lies(refused, good)
    index = {
        "reading": [
            {"file": name, "format": name.split("-")[0], "error": _FORMATS[name.split("-")[0]],
             "stops": stops}
            for name, (_, stops) in unread.items()
        ],
        "verification": refused.lines,
    }  # fmt: skip
    made = {name: content for name, (content, _) in unread.items()}
    return made | refused.files | {"index.json": json_file(index)}


_FORMATS: Final = {
    "record": "record_format",
    "birth": "birth_format",
    "trust": "trust_file_format",
    "receipt": "receipt_format",
}


def _records(given: World) -> dict[str, tuple[bytes, str]]:
    anchor, birth = given.receipt.record.record.encode(), given.ledger.records[0].encode()

    def put(data: bytes, offset: int, new: bytes) -> bytes:
        return hex_file(data[:offset] + new + data[offset + len(new) :])

    def number(value: int) -> bytes:
        return value.to_bytes(8)

    one_way = "one tree told in two ways"
    return {
        "record-92-bytes.hex": (hex_file(anchor[:-1]), "a cut record"),
        "record-94-bytes.hex": (hex_file(anchor + b"\0"), "a second spelling"),
        "record-0-bytes.hex": (hex_file(b""), "nothing taken for a record"),
        "record-kind-3.hex": (put(anchor, 0, b"\x03"), "a future kind read by old rules"),
        "record-kind-255.hex": (put(anchor, 0, b"\xff"), "a future kind read by old rules"),
        "record-anchor-member-0.hex": (put(anchor, 1, bytes(4)), "an anchor of nobody"),
        "record-time-2-to-53.hex": (
            put(anchor, 5, number(2**53)), "a time that JSON readers round",
        ),
        "record-anchor-count-0.hex": (put(anchor, 13, number(0)), one_way),
        "record-anchor-count-above-2-to-32.hex": (
            put(anchor, 13, number(2**32 + 1)), "a batch that nobody can hold",
        ),
        "record-anchor-root-empty.hex": (put(anchor, 21, EMPTY_ROOT), one_way),
        "record-anchor-status-count-1.hex": (put(anchor, 53, number(1)), one_way),
        "record-anchor-status-root-zero.hex": (put(anchor, 61, bytes(32)), one_way),
        "record-governance-with-member.hex": (
            put(birth, 1, b"\0\0\0\x01"), "a change that gives two records",
        ),
        "record-governance-with-time.hex": (
            put(birth, 5, number(1)), "a change that gives two records",
        ),
        "record-governance-with-empty-status-root.hex": (
            put(birth, 61, EMPTY_ROOT), "a change that gives two records",
        ),
    }  # fmt: skip


def _births(given: World) -> dict[str, tuple[bytes, str]]:
    change, birth = given.ledger.change, given.ledger.birth
    nobody = encode(
        ("uint256", "address", "bytes32", f"{MEMBER}[]"),
        (birth.chain_id, birth.contract, birth.parent_block_hash, []),
    )
    shifted = change[:96] + (160).to_bytes(32) + bytes(32) + change[128:]
    name = change.index(birth.members[0].name.encode()) + len(birth.members[0].name)
    spelling = "one birth with two ledger ids"
    return {
        "birth-truncated.hex": (hex_file(change[:-1]), "a cut birth"),
        "birth-trailing-byte.hex": (hex_file(change + b"\0"), spelling),
        "birth-trailing-word.hex": (hex_file(change + bytes(32)), spelling),
        "birth-members-shifted.hex": (hex_file(shifted), spelling),
        "birth-padding-not-zero.hex": (
            hex_file(change[:name] + b"!" + change[name + 1 :]), spelling,
        ),
        "birth-address-of-21-bytes.hex": (
            hex_file(change[:43] + b"\x01" + change[44:]), spelling,
        ),
        "birth-without-members.hex": (hex_file(nobody), "a ledger that nobody answers for"),
    }  # fmt: skip


def _set(data: bytes, path: tuple[str | int, ...], new: object) -> bytes:
    value: Any = json.loads(data)
    place = value
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = new
    return json_file(value)


def _get(data: bytes, path: tuple[str | int, ...]) -> Any:
    value: Any = json.loads(data)
    for step in path:
        value = value[step]
    return value


def _without(data: bytes, name: str) -> bytes:
    value = json.loads(data)
    del value[name]
    return json_file(value)


def _trusts(good: dict[str, bytes]) -> dict[str, tuple[bytes, str]]:
    trust = good["trust.json"]
    members = _get(trust, ("members",))
    key = members[0]["witness_key"]
    double = "one member that counts twice towards the threshold"
    return {
        "trust-type-v2.json": (
            _set(trust, ("type",), "testamur/trust/v2"), "new rules read as old ones",
        ),
        "trust-unknown-field.json": (_set(trust, ("note",), "x"), "a condition nobody checks"),
        "trust-without-threshold.json": (_without(trust, "threshold"), "a default nobody chose"),
        "trust-threshold-0.json": (_set(trust, ("threshold",), 0), "no signature suffices"),
        "trust-threshold-above-members.json": (
            _set(trust, ("threshold",), 4), "a rule that nothing can meet",
        ),
        "trust-without-members.json": (_set(trust, ("members",), []), "trust in nobody"),
        "trust-duplicate-id.json": (_set(trust, ("members", 1, "id"), 1), double),
        "trust-descending-ids.json": (
            _set(trust, ("members",), members[::-1]), "one trust file in two spellings",
        ),
        "trust-member-0.json": (_set(trust, ("members", 0, "id"), 0), "0 stands for nobody"),
        "trust-shared-witness-key.json": (
            _set(trust, ("members", 1, "witness_key"), key), double,
        ),
        "trust-finality-soon.json": (
            _set(trust, ("finality",), {"rule": "soon"}), "a rule this version cannot apply",
        ),
        "trust-finality-depth-0.json": (
            _set(trust, ("finality",), {"rule": "depth", "blocks": 0}),
            "a reorg that takes back what was called final",
        ),
        "trust-network-kind-production.json": (
            _set(trust, ("network", "kind"), "production"), "a trial that is not labelled as one",
        ),
        "trust-duplicate-key.json": (
            trust.replace(b'"threshold": 2,', b'"threshold": 2,\n  "threshold": 1,'),
            "two readers that see two thresholds",
        ),
    }  # fmt: skip


def _receipts(good: dict[str, bytes]) -> dict[str, tuple[bytes, str]]:
    receipt = good["receipt.json"]
    entry = _get(receipt, ("entry",))
    contract = _get(receipt, ("ledger", "contract"))
    spelling = "a second spelling of one receipt"
    return {
        "receipt-type-v2.json": (
            _set(receipt, ("type",), "testamur/receipt/v2"), "new rules read as old ones",
        ),
        "receipt-unknown-field.json": (
            _set(receipt, ("hash",), "md5"), "a receipt that says how it is to be checked",
        ),
        "receipt-unknown-field-inside.json": (
            _set(receipt, ("ledger", "url"), "https://x.example"), "a URL taken for evidence",
        ),
        "receipt-without-member.json": (_without(receipt, "member"), "a proof of nobody"),
        "receipt-commitment-null.json": (_set(receipt, ("commitment",), None), spelling),
        "receipt-profile-unknown.json": (
            _set(receipt, ("commitment", "profile"), "md5"), "a weak rule of the presenter's own",
        ),
        "receipt-profile-padding.json": (
            _set(receipt, ("commitment", "profile"), "padding"), "padding shown as a credential",
        ),
        "receipt-entry-upper-case.json": (_set(receipt, ("entry",), entry.upper()), spelling),
        "receipt-entry-with-0x.json": (_set(receipt, ("entry",), "0x" + entry), spelling),
        "receipt-entry-31-bytes.json": (_set(receipt, ("entry",), entry[:-2]), "a cut hash"),
        "receipt-entry-33-bytes.json": (_set(receipt, ("entry",), entry + "00"), "a long hash"),
        "receipt-contract-without-0x.json": (
            _set(receipt, ("ledger", "contract"), contract[2:]), spelling,
        ),
        "receipt-index-as-text.json": (_set(receipt, ("batch", "index"), "3"), spelling),
        "receipt-index-as-true.json": (_set(receipt, ("record", "index"), True), spelling),
        "receipt-index-with-fraction.json": (_set(receipt, ("record", "index"), 2.0), spelling),
        "receipt-index-negative.json": (
            _set(receipt, ("batch", "index"), -1), "an index counted from the end",
        ),
        "receipt-size-2-to-53.json": (
            _set(receipt, ("ledger", "size"), 2**53), "a number that readers round",
        ),
        "receipt-path-65-hashes.json": (
            _set(receipt, ("batch", "path"), [entry] * 65), "work without end",
        ),
        "receipt-record-kind-0.json": (
            _set(receipt, ("record", "kind"), 0), "a change that registers entries",
        ),
        "receipt-record-index-0.json": (
            _set(receipt, ("record", "index"), 0), "the birth taken for an anchor",
        ),
        "receipt-record-count-0.json": (
            _set(receipt, ("record", "count"), 0), "an entry of an empty batch",
        ),
        "receipt-duplicate-key.json": (
            receipt.replace(b'  "entry"', b'  "entry": "' + b"00" * 32 + b'",\n  "entry"'),
            "two readers that see two entries",
        ),
        "receipt-byte-order-mark.json": (b"\xef\xbb\xbf" + receipt, spelling),
        "receipt-trailing-garbage.json": (receipt + b"x", spelling),
        "receipt-truncated.json": (receipt[: len(receipt) // 2], "a cut download"),
        "receipt-in-a-list.json": (b"[" + receipt + b"]", spelling),
        "receipt-empty.json": (b"", "nothing taken for a receipt"),
    }  # fmt: skip


def _other(refused: _Refused, good: dict[str, bytes]) -> None:
    """Receipts of another chain, ledger or credential."""
    receipt = good["receipt.json"]

    def other(value: str) -> str:
        return value[:-1] + ("0" if value[-1] != "0" else "1")

    elsewhere = "a ledger that anyone deployed"
    another = "a valid proof of another entry"
    copied = "a commitment of one member anchored by another"
    flips: tuple[tuple[str, tuple[str, str], str, str], ...] = (
        ("other-genesis", ("ledger", "genesis"), "receipt other_chain", elsewhere),
        ("other-contract", ("ledger", "contract"), "receipt other_contract", elsewhere),
        ("other-ledger", ("ledger", "ledger_id"), "receipt other_ledger", elsewhere),
        ("salt-altered", ("commitment", "salt"), "credential other_credential", another),
    )
    for name, path, check, stops in flips:
        step, code = check.split()
        refused.receipt(name, _set(receipt, path, other(_get(receipt, path))), (step, code), stops)
    entry = ("credential", "other_credential")
    refused.receipt(
        "other-chain",
        _set(receipt, ("ledger", "chain_id"), 1),
        ("receipt", "other_chain"),
        elsewhere,
    )
    refused.receipt(
        "entry-altered", _set(receipt, ("entry",), other(_get(receipt, ("entry",)))), entry, another
    )
    refused.receipt("member-2", _set(receipt, ("record", "member"), 2), entry, copied)
    refused.add(
        "an altered credential",
        case(
            credential="broken/credential-changed.json",
            verdict="invalid",
            check=("credential", "invalid", "other_credential"),
        ),
        credential_changed=good["credential.json"].replace(b"Tidal", b"Solar"),
    )
    refused.add(
        "a credential that two readers read differently",
        case(
            credential="broken/credential-duplicate-key.json",
            verdict="invalid",
            check=("credential", "invalid", "duplicate_key"),
        ),
        credential_duplicate_key=good["credential.json"].replace(b"{", b'{\n  "name": "X",', 1),
    )
    refused.add(
        "a receipt that fits no credential in particular",
        case(
            receipt="receipt-from-node.json",
            verdict="invalid",
            check=("credential", "invalid", "commitment_missing"),
        ),
    )


def _paths(refused: _Refused, good: dict[str, bytes]) -> None:
    """Proofs too short, too long, altered; numbers that do not fit them."""
    receipt = good["receipt.json"]
    forged = "a proof that does not lead from this to that"
    for part in ("batch", "record", "member"):
        path = _get(receipt, (part, "path"))
        for name, broken, code in (
            ("path-short", path[:-1], "proof_length"),
            ("path-long", [*path, OTHER.hex()], "proof_length"),
            ("path-altered", [OTHER.hex(), *path[1:]], "root_mismatch"),
        ):
            content = _set(receipt, (part, "path"), broken)
            refused.receipt(f"{part}-{name}", content, (part, f"{part}_{code}"), forged)
    index = _get(receipt, ("batch", "index"))
    record = _get(receipt, ("record",))
    size = _get(receipt, ("ledger", "size"))
    change = _get(receipt, ("member", "change"))
    numbers: tuple[tuple[str, tuple[str, str], object, str], ...] = (
        ("batch-index-other", ("batch", "index"), index ^ 1, "batch_root_mismatch"),
        ("batch-index-is-count", ("batch", "index"), record["count"], "batch_tree_range"),
        ("record-count-minus-one", ("record", "count"), record["count"] - 1, ""),
        ("record-root-replaced", ("record", "root"), OTHER.hex(), "batch_root_mismatch"),
        ("record-time-minus-one", ("record", "time"), record["time"] - 1, ""),
        ("record-index-plus-one", ("record", "index"), record["index"] + 1, ""),
        ("record-index-is-size", ("record", "index"), size, "record_tree_range"),
        ("ledger-size-doubled", ("ledger", "size"), 2 * size, "record_proof_length"),
        ("ledger-root-replaced", ("ledger", "root"), OTHER.hex(), ""),
        ("member-change-lengthened", ("member", "change"), change + "00", "member_root_mismatch"),
    )
    for name, place, new, code in numbers:
        told = code or "record_root_mismatch"
        refused.receipt(name, _set(receipt, place, new), (told.split("_")[0], told), forged)


def _forged(refused: _Refused, given: World) -> None:
    """Receipts that fit themselves, of a ledger that never was."""
    made = given.receipt.commitment
    alone = PaperLedger(birth=given.ledger.birth)
    index = alone.anchor(1, [given.receipt.entry], time=1_500_000_000)
    alone.anchor(2, [OTHER], time=1_500_000_001)
    branch = PaperLedger(birth=given.ledger.birth)
    branch.records, branch.batches = given.ledger.records[:3], dict(given.ledger.batches)
    branch.anchor(3, [OTHER], time=1)
    made_up = alone.receipt(index, given.receipt.entry, made)
    never = branch.receipt(RECEIPT, given.receipt.entry, made)
    refused.add(
        "a whole ledger made up by the presenter",
        case(
            receipt="broken/receipt-forged-ledger.json",
            view="broken/view-of-forged-ledger.json",
            verdict="invalid",
            check=("record", "invalid", "other_record"),
        ),
        receipt_forged_ledger=serialise_receipt(made_up),
        view_of_forged_ledger=view_file(given.ledger.view(made_up)),
    )
    refused.add(
        "a head that was shown to one verifier alone",
        case(
            receipt="broken/receipt-forged-head.json",
            view="broken/view-of-forged-head.json",
            verdict="could_not_check",
            check=("record", "unknown", "receipt_overtaken"),
        ),
        receipt_forged_head=serialise_receipt(never),
        view_of_forged_head=view_file(given.ledger.view(never)),
    )


def _lies(refused: _Refused, good: dict[str, bytes]) -> None:
    """Trust files that are well-formed and of others; views whose proofs are false."""
    trust, view = good["trust.json"], good["view.json"]
    members = _get(trust, ("members",))
    renamed = _set(trust, ("members", 0, "name"), "University of Elsewhere")
    older = _set(_set(trust, ("members",), members[1:]), ("threshold",), 1)
    refused.add(
        "a member under another's name",
        case(
            trust="broken/trust-member-renamed.json",
            verdict="invalid",
            check=("member", "invalid", "member_differs"),
        ),
        trust_member_renamed=renamed,
    )
    refused.add(
        "an old trust file that calls a new member a forger",
        case(
            trust="broken/trust-without-member-1.json",
            verdict="could_not_check",
            check=("member", "unknown", "unknown_member"),
        ),
        trust_without_member_1=older,
    )
    newest, path = _get(view, ("newest",)), _get(view, ("at_index", "path"))
    record = bytearray.fromhex(newest["record"])
    record[12] ^= 1  # the last byte of the time
    lies: tuple[tuple[str, bytes, str], ...] = (
        ("path-altered", _set(view, ("at_index", "path", 0), OTHER.hex()), "record"),
        ("path-short", _set(view, ("at_index", "path"), path[:-1]), "record"),
        ("leaf-altered", _set(view, ("at_index", "leaf"), OTHER.hex()), "record"),
        ("consistency-long", _set(view, ("at_size", "path"), [OTHER.hex()]), "record"),
        ("old-root-altered", _set(view, ("at_size", "root"), OTHER.hex()), "record"),
        ("newest-altered", _set(view, ("newest", "record"), record.hex()), "status"),
        ("newest-path-long", _set(view, ("newest", "path"), [*newest["path"], OTHER.hex()]),
         "status"),
        ("newest-of-member-3", _set(view, ("newest",), _newest_of_member_3()), "status"),
    )  # fmt: skip
    for name, content, step in lies:
        refused.files[f"view-{name}.json"] = content
        line = case(
            view=f"broken/view-{name}.json",
            verdict="could_not_check",
            check=(step, "unknown", "view_broken"),
        )
        refused.add("a source that contradicts its own head: not the receipt's fault", line)


def _newest_of_member_3() -> object:
    ledger = world().ledger
    entry = ledger.batches[ledger.records[3].root][0]
    return _get(view_file(ledger.view(ledger.receipt(3, entry, None))), ("newest",))
