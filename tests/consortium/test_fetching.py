"""One GET to a node that may do anything: what is no batch of that length is an error of ours."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from testamur.consortium.fetching import DEADLINE_SECONDS, BatchFetcher
from testamur.errors import EndpointRefusedError, NodeProtocolError, NodeUnavailableError
from testamur.storage.batch_format import batch_root, encode_batch
from tests.support.canned_server import CannedServer, reply
from tests.support.stored import some_entries
from tests.support.threaded_server import ThreadedServer
from tests.support.tls import certificate

ENTRIES = sorted(some_entries(5))
DATA = encode_batch(ENTRIES)
ROOT = batch_root(ENTRIES)
PATH = f"/v1/batches/{ROOT.hex()}/entries"
SECONDS = 10


def standing_still() -> float:
    return 0.0


def fetcher(url: str, monotonic: Callable[[], float] = standing_still) -> BatchFetcher:
    allowed = frozenset({url.removeprefix("http://")})
    return BatchFetcher(allowed_private=allowed, monotonic=monotonic)


def fetched(answer: bytes) -> bytes | None:
    with CannedServer({PATH: answer}) as server:
        return fetcher(server.url).fetch(server.url, ROOT, len(ENTRIES))


def chunked(*chunks: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    return head + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (*chunks, b""))


def test_a_batch_is_fetched_whole_or_in_chunks() -> None:
    assert fetched(reply(DATA)) == DATA
    assert fetched(chunked(DATA[:7], DATA[7:])) == DATA


def test_a_path_of_the_endpoint_is_kept() -> None:
    with CannedServer({f"/node{PATH}": reply(DATA)}) as server:
        found = fetcher(server.url).fetch(f"{server.url}/node/", ROOT, len(ENTRIES))
        assert (found, server.asked) == (DATA, [f"/node{PATH}"])


def test_a_node_without_the_batch_is_no_error() -> None:
    assert fetched(reply(b"{}", "404 Not Found")) is None


@pytest.mark.parametrize(
    "answer",
    [
        reply(DATA[:-1]),
        reply(DATA[:-32]),
        reply(DATA + bytes(1)),
        reply(b""),
        chunked(DATA, bytes(32)),
        reply(DATA, "200 OK", "Content-Encoding: gzip"),
        reply(DATA, "206 Partial Content"),
        reply(DATA, "302 Found", f"Location: {PATH}/elsewhere"),
        reply(DATA, "308 Permanent Redirect", f"Location: {PATH}/elsewhere"),
        reply(b"{}", "403 Forbidden"),
        reply(b"{}", "500 Internal Server Error"),
    ],
)
def test_another_answer_is_refused(answer: bytes) -> None:
    answers = {PATH: answer, f"{PATH}/elsewhere": reply(DATA)}
    with CannedServer(answers) as server:
        with pytest.raises(NodeProtocolError):
            fetcher(server.url).fetch(server.url, ROOT, len(ENTRIES))
        assert server.asked == [PATH]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"SSH-2.0-something\r\n",
        reply(DATA)[:-1],
        reply(b"", "429 Too Many Requests"),
        reply(b"", "503 Service Unavailable"),
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 300_000,
    ],
)
def test_no_whole_answer_is_an_outage(answer: bytes) -> None:
    with pytest.raises(NodeUnavailableError):
        fetched(answer)


def test_nothing_listens_is_an_outage() -> None:
    with CannedServer({}) as server:
        url = server.url
    with pytest.raises(NodeUnavailableError):
        fetcher(url).fetch(url, ROOT, len(ENTRIES))


class Dripping:
    """A server that sends one byte more each time the client looks at its clock."""

    def __init__(self, head: bytes, drip: bytes) -> None:
        self.now = 0.0
        self._wanted = threading.Semaphore(0)
        self._left = threading.Event()
        wanted, left = self._wanted, self._left

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(head)
                while wanted.acquire(timeout=SECONDS) and not left.is_set():
                    self.wfile.write(drip)

        class Server(socketserver.ThreadingTCPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                """Say nothing: the client hangs up."""

        self.server = ThreadedServer(Server(("127.0.0.1", 0), Handler))

    def stop(self) -> None:
        self._left.set()
        self._wanted.release()

    def monotonic(self) -> float:
        self._wanted.release()
        self.now += 1
        return self.now


@pytest.mark.parametrize(
    "head",
    [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 160\r\n\r\n"],
    ids=["head", "body"],
)
def test_a_node_that_drips_bytes_is_left_at_the_deadline(head: bytes) -> None:
    dripping = Dripping(head, b"a")
    with dripping.server as server:
        asking = fetcher(server.url, dripping.monotonic)
        with pytest.raises(NodeUnavailableError):
            asking.fetch(server.url, ROOT, len(ENTRIES))
        dripping.stop()
    assert dripping.now >= DEADLINE_SECONDS
    assert dripping.now < 2 * DEADLINE_SECONDS


def test_a_node_that_says_nothing_is_left_when_the_time_is_over() -> None:
    times = iter([0.0])
    with ThreadedServer(_silent()) as server:
        # All later looks at the clock see the last hundredth of a second before the deadline.
        asking = fetcher(server.url, lambda: next(times, DEADLINE_SECONDS - 0.01))
        with pytest.raises(NodeUnavailableError):
            asking.fetch(server.url, ROOT, len(ENTRIES))


def _silent() -> socketserver.TCPServer:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.rfile.read()  # until the client hangs up

    return socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)


def test_a_private_endpoint_that_nobody_allowed_is_not_connected_to() -> None:
    asking = BatchFetcher(allowed_private=frozenset(), monotonic=standing_still)
    with CannedServer({PATH: reply(DATA)}) as server:
        for url in (server.url, server.url.replace("http:", "https:")):
            with pytest.raises(EndpointRefusedError):
                asking.fetch(url, ROOT, len(ENTRIES))
        assert server.asked == []


@contextmanager
def over_tls(directory: Path, host: str) -> Iterator[tuple[CannedServer, BatchFetcher, list[str]]]:
    """Serve over TLS with a certificate for ``host``; the fetcher resolves every name to it."""
    serving, believing = certificate(directory, host)
    with CannedServer({PATH: reply(DATA)}, context=serving) as server:
        port = server.url.rpartition(":")[2]
        resolved: list[str] = []

        def resolve(name: str, _port: int) -> list[str]:
            resolved.append(name)
            return ["127.0.0.1"]

        asking = BatchFetcher(
            allowed_private=frozenset({f"node.example:{port}"}),
            monotonic=standing_still,
            resolve=resolve,
            ssl_context=believing,
        )
        yield server, asking, resolved


def test_over_tls_the_certificate_is_checked_for_the_name(tmp_path: Path) -> None:
    with over_tls(tmp_path, "node.example") as (server, asking, resolved):
        url = f"https://node.example:{server.url.rpartition(':')[2]}"
        assert asking.fetch(url, ROOT, len(ENTRIES)) == DATA
        assert resolved == ["node.example"]
    with over_tls(tmp_path, "other.example") as (server, asking, _):
        url = f"https://node.example:{server.url.rpartition(':')[2]}"
        with pytest.raises(NodeUnavailableError):
            asking.fetch(url, ROOT, len(ENTRIES))
        assert server.asked == []


def test_a_name_is_resolved_once_and_every_answer_has_to_be_public() -> None:
    """What a name server says a second time (DNS rebinding) is never asked for."""
    answers = iter([["203.0.113.1", "127.0.0.1"]])
    asking = BatchFetcher(
        allowed_private=frozenset(),
        monotonic=standing_still,
        resolve=lambda _host, _port: next(answers),
    )
    with pytest.raises(EndpointRefusedError, match="not public"):
        asking.fetch("https://node.example", ROOT, len(ENTRIES))
    assert next(answers, None) is None


@pytest.mark.parametrize("failure", [OSError("no such name"), UnicodeError("label too long"), None])
def test_a_name_that_does_not_resolve_is_an_outage(failure: Exception | None) -> None:
    def resolve(_host: str, _port: int) -> list[str]:
        if failure is not None:
            raise failure
        return []

    asking = BatchFetcher(allowed_private=frozenset(), monotonic=standing_still, resolve=resolve)
    with pytest.raises(NodeUnavailableError):
        asking.fetch("https://node.example", ROOT, len(ENTRIES))


def test_the_next_address_is_tried_where_one_refuses() -> None:
    with CannedServer({PATH: reply(DATA)}) as server:
        port = server.url.rpartition(":")[2]
        asking = BatchFetcher(
            allowed_private=frozenset({f"node.example:{port}"}),
            monotonic=standing_still,
            resolve=lambda _host, _port: ["127.9.9.9", "127.0.0.1"],
        )
        assert asking.fetch(f"http://node.example:{port}", ROOT, len(ENTRIES)) == DATA
