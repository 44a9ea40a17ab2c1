"""The one shape of every error over HTTP."""

from __future__ import annotations

import httpx


def assert_problem(answer: httpx.Response, status: int, code: str, *, advice: bool = False) -> None:
    """Check that an answer is a problem document (RFC 9457) with our stable code."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert (told["status"], told["code"], told["type"]) == (status, code, "about:blank")
    assert told["title"] == code.replace("_", " ")
    assert told["detail"]
    assert ("advice" in told) == advice
    assert len(answer.content) < 2000
    assert "Traceback" not in answer.text
