"""OpenAPI's words for ``POST /v1/verify``, whose bodies are read by hand: FastAPI is not strict."""

from __future__ import annotations

from typing import Any, Final

from testamur.api.verify_requests import ISSUERS_MAX
from testamur.credentials.commitment import MEMBER_MAX
from testamur.credentials.profiles import PROFILES
from testamur.ledger.report import Outcome, Status, Verdict

_HASH: Final[dict[str, Any]] = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_TEXT: Final[dict[str, Any]] = {"type": "string", "minLength": 1}
_BINARY: Final[dict[str, Any]] = {"type": "string", "format": "binary"}
_TIME: Final[dict[str, Any]] = {"type": ["integer", "null"], "description": "Unix seconds."}


def _list_of(items: dict[str, Any], *, least: int = 1) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": least, "maxItems": ISSUERS_MAX}


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "additionalProperties": False,
        "properties": required | (optional or {}),
    }


_CREDENTIAL: Final[dict[str, Any]] = {
    "profile": {"type": "string", "enum": list(PROFILES)},
    "digest": _HASH | {"description": "Of the credential under that profile."},
}
_ISSUERS: Final[dict[str, Any]] = {
    "issuers": _list_of(_object({}, {"id": _TEXT, "names": _list_of(_list_of(_TEXT), least=0)}))
    | {"description": "The issuers that the credential names, to be compared with the member."}
}
_BY_RECEIPT: Final[dict[str, Any]] = _object(
    _CREDENTIAL | {"receipt": {"type": "object", "description": "docs/formats/receipt.md"}},
    _ISSUERS
    | {
        "locator": _TEXT
        | {"description": "The credential's own locator, to be compared with the receipt."}
    },
) | {"title": "By receipt"}
_BY_LOCATOR: Final[dict[str, Any]] = _object(
    _CREDENTIAL
    | {
        "member": {"type": "integer", "minimum": 1, "maximum": MEMBER_MAX},
        "salt": _HASH | {"description": "Both as the credential's locator has them."},
    },
    _ISSUERS,
) | {"title": "By locator"}

_RECEIPT_EXAMPLE: Final[dict[str, Any]] = {
    "profile": "bytes-sha256",
    "digest": "e3" * 32,
    "receipt": {"type": "testamur/receipt/v1"},
}
_LOCATOR_EXAMPLE: Final[dict[str, Any]] = {
    "profile": "jcs-sha256",
    "digest": "e3" * 32,
    "member": 3,
    "salt": "1f" * 32,
    "issuers": [{"id": "did:web:cassel-nord.example", "names": [["Cassel-Nord University"]]}],
}
_LINES_EXAMPLE: Final = (
    f'{{"profile":"bytes-sha256","digest":"{"e3" * 32}","member":3,"salt":"{"1f" * 32}"}}\n'
    f'{{"profile":"jcs-sha256","digest":"{"e4" * 32}","member":3,"salt":"{"2f" * 32}"}}\n'
)

BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"oneOf": [_BY_RECEIPT, _BY_LOCATOR]},
                "examples": {
                    "by_receipt": {
                        "summary": "A digest with its receipt (shortened here).",
                        "value": _RECEIPT_EXAMPLE,
                    },
                    "by_locator": {
                        "summary": "A digest with what the credential's locator says.",
                        "value": _LOCATOR_EXAMPLE,
                    },
                },
            },
            "application/x-ndjson": {
                "schema": {
                    "type": "string",
                    "description": "1 to 1,000 lines, each as in application/json.",
                },
                "examples": {
                    "two": {"summary": "Two credentials by locator.", "value": _LINES_EXAMPLE}
                },
            },
            "multipart/form-data": {
                "schema": _object(
                    {
                        "file": _BINARY
                        | {"description": "A credential, or a bundle, which holds its receipt."}
                    },
                    {
                        "receipt": _BINARY | {"description": "The receipt of the credential."},
                        "locator": {
                            "type": "string",
                            "description": "Its locator, or a link that ends in one.",
                        },
                    },
                ),
                "examples": {
                    "bundle": {
                        "summary": "A bundle: curl -F file=@diploma.pdf.testamur.zip",
                        "value": {"file": "(the bundle)"},
                    },
                    "with_receipt": {
                        "summary": "A file with its receipt: "
                        "curl -F file=@diploma.pdf -F receipt=@diploma.pdf.receipt.json",
                        "value": {"file": "(the credential)", "receipt": "(its receipt)"},
                    },
                    "with_locator": {
                        "summary": "A file with a locator in it: curl -F file=@diploma.pdf",
                        "value": {"file": "(the credential)"},
                    },
                    "with_link": {
                        "summary": "A file whose locator came by a link or a QR code.",
                        "value": {
                            "file": "(the credential)",
                            "locator": "https://node.example/#testamur:1:"
                            f"{'b3' * 32}:3:{'1f' * 32}",
                        },
                    },
                },
            },
        },
    }
}
"""All forms of the body, with an example of each."""

_REPORT: Final[dict[str, Any]] = _object(
    {
        "outcome": {"type": "string", "enum": [one.value for one in Outcome]},
        "verdict": {"type": "string", "enum": [one.value for one in Verdict]},
        "summary": {"type": "string", "description": "One plain sentence."},
        "registered_by": {
            "type": ["object", "null"],
            "properties": {
                "id": {"type": "integer"},
                "name": {"type": "string"},
                "domain": {"type": "string"},
            },
        },
        "registered_at": _TIME,
        "as_of": {
            "type": ["object", "null"],
            "properties": {"block": {"type": "integer"}, "time": _TIME},
        },
        "network": _object({"name": {"type": "string"}, "kind": {"type": "string"}}),
        "carried_by": {"type": ["string", "null"]},
        "checks": {
            "type": "array",
            "items": _object(
                {
                    "name": {"type": "string"},
                    "status": {"type": "string", "enum": [one.value for one in Status]},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                }
            ),
        },
        "does_not_prove": {"type": "string"},
    }
) | {"title": "Report", "description": "docs/formats/report.md"}

ANSWER: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The report, whatever the verdict; branch on ``outcome``.",
        "content": {
            "application/json": {"schema": _REPORT},
            "application/x-ndjson": {
                "schema": {
                    "type": "string",
                    "description": "A line for each that was sent, in order: a report, or, where "
                    "a line was not of the form, a problem with ``status`` and ``code``.",
                }
            },
        },
    }
}
"""What the route answers when nothing is wrong with the request."""
