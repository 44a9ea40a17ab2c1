"""Every vector of tests/vectors/credentials: the good ones hold, the broken ones are refused."""

from __future__ import annotations

from dataclasses import asdict
from hashlib import sha256
from typing import Any

import pytest

from testamur.credentials import commitment, profiles, sidecar
from testamur.errors import TestamurError
from tests.support.vectors import vectors

PROFILES = vectors("credentials/profiles")
COMMITMENTS = vectors("credentials/commitment")
SIDECARS = vectors("credentials/sidecar")


def artefact(vector: dict[str, Any]) -> bytes:
    if "artefact_hex" in vector:
        return bytes.fromhex(vector["artefact_hex"])
    return str(vector["artefact"]).encode()


@pytest.mark.parametrize("name", PROFILES)
def test_profile_vector(name: str) -> None:
    vector = PROFILES[name]
    if "error" in vector:
        with pytest.raises(TestamurError) as caught:
            profiles.digest(artefact(vector), vector["profile"])
        assert caught.value.code == vector["error"]
        return
    digest = profiles.digest(artefact(vector), vector["profile"])
    assert digest == sha256(vector["hashed"].encode()).digest()
    assert digest.hex() == vector["digest"]


@pytest.mark.parametrize("name", COMMITMENTS)
def test_commitment_vector(name: str) -> None:
    vector = COMMITMENTS[name]
    arguments = {
        "ledger_id": bytes.fromhex(vector["ledger_id"]),
        "member": vector["member"],
        "profile": vector["profile"],
        "salt": bytes.fromhex(vector["salt"]),
        "digest": bytes.fromhex(vector["digest"]),
    }
    if "error" in vector:
        with pytest.raises(TestamurError) as caught:
            commitment.entry(**arguments)
        assert caught.value.code == vector["error"]
        return
    assert commitment.entry(**arguments).hex() == vector["entry"]


@pytest.mark.parametrize("name", SIDECARS)
def test_sidecar_vector(name: str) -> None:
    vector = SIDECARS[name]
    content = vector["content"].encode()
    if "error" in vector:
        with pytest.raises(TestamurError) as caught:
            sidecar.parse(content)
        assert caught.value.code == vector["error"]
        return
    fields = {
        key: value.hex() if isinstance(value, bytes) else value
        for key, value in asdict(sidecar.parse(content)).items()
    }
    assert fields == {key: vector[key] for key in fields}


@pytest.mark.parametrize("kind", [PROFILES, COMMITMENTS, SIDECARS])
def test_about_half_of_the_vectors_are_broken(kind: dict[str, Any]) -> None:
    broken = sum("error" in vector for vector in kind.values())
    assert len(kind) / 2 <= broken + 1 < len(kind)
