"""The examples in docs/formats/commitment.md hold, to the byte."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path

from testamur.credentials import commitment, jws, profiles, sidecar, strict_json
from testamur.errors import TestamurError

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "formats" / "commitment.md").read_text()
BLOCKS = re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
EXAMPLES = [json.loads(block) for block in BLOCKS]


def test_there_is_an_example_of_each_profile_and_it_holds() -> None:
    shown = [example for example in EXAMPLES if "hashed" in example]
    assert [example["profile"] for example in shown] == list(profiles.PROFILES)
    for example in shown:
        artefact = example["artefact"].encode()
        assert profiles.detect(artefact) == example["profile"]
        assert profiles.digest(artefact, example["profile"]).hex() == example["digest"]
        assert sha256(example["hashed"].encode()).hexdigest() == example["digest"]


def test_the_example_of_a_commitment_holds() -> None:
    (example,) = [example for example in EXAMPLES if "preimage" in example]
    parts = {name: bytes.fromhex(value) for name, value in example["preimage"].items()}
    assert parts["tag"] == commitment.TAG
    assert len(parts["tag"]) == 23
    assert parts["profile_length"] == bytes([len(parts["profile"])])
    entry = commitment.entry(
        ledger_id=parts["ledger_id"],
        member=int.from_bytes(parts["member"], "big"),
        profile=parts["profile"].decode(),
        salt=parts["salt"],
        digest=parts["digest"],
    )
    assert entry.hex() == example["entry"]
    assert sha256(b"".join(parts.values())).hexdigest() == example["entry"]


def test_the_example_of_a_sidecar_is_what_is_written() -> None:
    (block,) = [block for block in BLOCKS if sidecar.TYPE in block]
    made = sidecar.parse(block.encode())
    assert sidecar.serialise(made) == block.encode()
    name = sidecar.file_name("diploma.json", ledger_id=made.ledger_id, member=made.member)
    assert f"`{name}`" in PAGE


def test_the_page_names_the_limits_and_the_critical_names() -> None:
    assert (strict_json.BYTES_MAX, profiles.BYTES_MAX) == (4 << 20, 64 << 20)
    assert strict_json.DEPTH_MAX == 128
    assert sidecar.BYTES_MAX == 4096
    for name in jws.CRITICAL_NAMES:
        assert f"`{name}`" in PAGE


def test_the_page_names_only_codes_that_exist() -> None:
    kinds, codes = [TestamurError], set()
    while kinds:
        kind = kinds.pop()
        codes.add(kind.code)
        kinds.extend(kind.__subclasses__())
    assert set(re.findall(r"\[`([a-z_]+)`\]", PAGE)) <= codes
