"""The load is put on as asked, it ends by itself, and an answer that is none makes no figure."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI, Request, Response

from scripts.benchmarks.load import Load, RefusedError, run
from tests.support.canned_server import CannedServer, reply
from tests.support.node import served

pytestmark = pytest.mark.slow  # a process starts for each load


class Counting:
    """A server that counts what it is asked."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.paths: list[str] = []
        self.app = FastAPI()
        self.url = ""

        @self.app.post("/v1/entries", status_code=202)
        async def submit(request: Request) -> dict[str, int]:
            self.bodies.append(await request.body())
            return {"added": 1}

        @self.app.get("/found/{name}")
        def found(name: str) -> Response:
            self.paths.append(name)
            return Response(b"x" * 100_000)


@pytest.fixture
def server() -> Iterator[Counting]:
    made = Counting()
    with served(made.app) as made.url:
        yield made


def test_every_request_is_sent_once_over_all_connections(server: Counting) -> None:
    names = [f"{number}" for number in range(50)]
    result = run(
        Load(server.url, 4, 30, submissions=30, paths=[f"/found/{name}" for name in names])
    )
    assert (result.requests, result.refused) == (80, 0)
    assert {len(body) for body in server.bodies} == {32}
    assert len(set(server.bodies)) == 30
    assert sorted(server.paths) == sorted(names)
    assert 0 < result.p50_ms <= result.p99_ms
    assert result.rate == result.requests / result.seconds


def test_it_ends_when_its_time_is_over(server: Counting) -> None:
    result = run(Load(server.url, 2, 0.2, submissions=10**9))
    assert result.requests == len(server.bodies) < 10**9


@pytest.mark.parametrize(
    "answer", [reply(b"{}", "503 Service Unavailable"), b""], ids=["refused", "hung up"]
)
def test_an_answer_that_is_none_makes_no_figure(answer: bytes) -> None:
    with CannedServer({"/v1/entries": answer}) as canned, pytest.raises(RefusedError):
        run(Load(canned.url, 1, 5, submissions=3))
