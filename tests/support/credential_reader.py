"""One set of questions about credentials, put to Python and to the modules of the verify page.

A request is ``{"call": name, ...}``, with ``bytes`` in base64 and hashes in hex; an answer is
``{"value": ...}`` or ``{"error": code}``. tests/web/answers.mjs has the calls in JavaScript.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from testamur.cli.node_client import issuers_asked
from testamur.credentials import claims, commitment, locator, profiles
from testamur.credentials.locator import Locator
from testamur.errors import TestamurError, UnknownProfileError
from testamur.ledger.bundle import SUFFIX, looks_like_bundle, parse_bundle
from testamur.ledger.receipt_json import parse_receipt
from tests.support.optional import require

Request = dict[str, Any]
Answer = dict[str, Any]

ROOT: Final = Path(__file__).resolve().parents[2]
STATIC: Final = ROOT / "node" / "testamur" / "web" / "static"
MODULE: Final = STATIC / "credential.js"
DRIVERS: Final = ROOT / "tests" / "web"
NODE_SECONDS_MAX: Final = 300


def request(call: str, data: bytes, **more: str) -> Request:
    """Build a request about bytes."""
    return {"call": call, "bytes": b64encode(data).decode("ascii"), **more}


def questions(data: bytes, profile: str) -> list[Request]:
    """Everything that a page asks about a file of which it knows, or guesses, the profile."""
    return [
        request("detect", data),
        request("digest", data, profile=profile),
        request("issuers", data, profile=profile),
        request("find_locator", data, profile=profile),
    ]


def python_answer(asked: Request) -> Answer:
    """Answer one request by the product's own Python."""
    try:
        return {"value": _CALLS[asked["call"]](asked)}
    except TestamurError as exc:
        return {"error": exc.code}


def node_process(requests: Sequence[Request], *flags: str) -> subprocess.CompletedProcess[bytes]:
    """Put the requests to one process of Node.js; the test is skipped where there is none."""
    node = shutil.which("node")
    require(node is not None, "the browser's reading of credentials, which needs Node.js")
    return subprocess.run(
        [str(node), *flags, str(DRIVERS / "node_main.mjs"), str(MODULE)],
        input=json.dumps(requests).encode(),
        capture_output=True,
        timeout=NODE_SECONDS_MAX,
        check=False,
    )


def node_answers(requests: Sequence[Request]) -> list[Answer]:
    """Answer all requests by the modules of the verify page, in Node.js."""
    done = node_process(requests)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    answers: list[Answer] = json.loads(done.stdout)
    return answers


def _data(asked: Request) -> bytes:
    return b64decode(asked["bytes"])


def _issuers(asked: Request) -> object:
    claim = claims.issuer(_data(asked), asked["profile"])
    # Through JSON, as it is sent: tuples become lists.
    return None if claim is None else json.loads(json.dumps(issuers_asked(claim)))


def _locator(found: Locator | None) -> object:
    if found is None:
        return None
    return {
        "ledgerId": found.ledger_id.hex(),
        "member": found.member,
        "salt": found.salt.hex(),
    }


def _entry(asked: Request) -> object:
    fields = asked["fields"]
    return commitment.entry(
        ledger_id=bytes.fromhex(fields["ledgerId"]),
        member=fields["member"],
        profile=fields["profile"],
        salt=bytes.fromhex(fields["salt"]),
        digest=bytes.fromhex(fields["digest"]),
    ).hex()


def _receipt(asked: Request) -> object:
    made = parse_receipt(_data(asked)).commitment
    if made is None:
        raise UnknownProfileError("the receipt names no profile")
    return {"profile": made.profile, "salt": made.salt.hex()}


def _bundle(asked: Request) -> object:
    found = parse_bundle(_data(asked))
    return {
        "name": found.name,
        "credential": b64encode(found.credential).decode("ascii"),
        "receipt": b64encode(found.receipt_bytes).decode("ascii"),
    }


def _locator_of_link(asked: Request) -> object:
    _, _, fragment = asked["text"].partition("#")
    starts_as_one = fragment.startswith(locator.PREFIX.decode("ascii"))
    return _locator(locator.parse(fragment) if starts_as_one else None)


_CALLS: Final[Mapping[str, Callable[[Request], object]]] = {
    "digest": lambda asked: profiles.digest(_data(asked), asked["profile"]).hex(),
    "detect": lambda asked: profiles.detect(_data(asked)),
    "issuers": _issuers,
    "find_locator": lambda asked: _locator(locator.find(_data(asked), asked["profile"])),
    "parse_locator": lambda asked: _locator(locator.parse(asked["text"])),
    "locator_of_link": _locator_of_link,
    "entry": _entry,
    "receipt": _receipt,
    "bundle": _bundle,
    "looks_like_bundle": lambda asked: looks_like_bundle(_data(asked)),
    "is_bundle_name": lambda asked: asked["text"].lower().endswith(SUFFIX),
}
