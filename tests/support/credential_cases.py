"""The vectors of credentials as questions, each with the answer that it names."""

from __future__ import annotations

import json
from typing import Any, Final

from tests.support.credential_reader import Answer, Request, request
from tests.support.vectors import vectors

COMMITMENT_FIELDS: Final = {
    "ledger_id": "ledgerId",
    "member": "member",
    "profile": "profile",
    "salt": "salt",
    "digest": "digest",
}
"""Name in a vector → name in JavaScript."""


def cases() -> dict[str, tuple[Request, Answer]]:
    """Give every vector by ``folder/name``: what is asked, and what has to be answered."""
    made = {}
    for folder in ("profiles", "detect", "locator", "issuers", "commitment"):
        for name, vector in vectors(f"credentials/{folder}").items():
            made[f"{folder}/{name}"] = _case(folder, vector)
    return made


def artefact(vector: dict[str, Any]) -> bytes:
    """Give the file that a vector is about."""
    if "artefact_hex" in vector:
        return bytes.fromhex(vector["artefact_hex"])
    return str(vector["artefact"]).encode()


def _case(folder: str, vector: dict[str, Any]) -> tuple[Request, Answer]:
    if folder == "commitment":
        fields = {ours: vector[name] for name, ours in COMMITMENT_FIELDS.items()}
        asked: Request = {"call": "entry", "fields": fields}
    elif folder == "detect":
        asked = request("detect", artefact(vector))
    else:
        call = {"profiles": "digest", "locator": "find_locator", "issuers": "issuers"}[folder]
        asked = request(call, artefact(vector), profile=vector["profile"])
    if "error" in vector:
        return asked, {"error": vector["error"]}
    wanted = {
        "profiles": "digest",
        "detect": "profile",
        "locator": "found",
        "issuers": "issuers",
        "commitment": "entry",
    }
    value = vector[wanted[folder]]
    if folder == "locator" and value is not None:
        value = {COMMITMENT_FIELDS[name]: part for name, part in value.items()}
    return asked, {"value": value}


def differences(
    asked: dict[str, tuple[Request, Answer]], answers: list[Answer]
) -> dict[str, tuple[Answer, Answer]]:
    """Give what differs, by name: the answer, and the one that was wanted."""
    return {
        name: (answer, wanted)
        for (name, (_, wanted)), answer in zip(asked.items(), answers, strict=True)
        # Through text, because to Python 1 equals true and 1.0.
        if json.dumps(answer, sort_keys=True) != json.dumps(wanted, sort_keys=True)
    }
