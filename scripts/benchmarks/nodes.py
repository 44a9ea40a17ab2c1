"""A real node for the HTTP figures: ``testamur serve`` as a process, on the embedded chain."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from scripts.benchmarks.load import RefusedError
from tests.support.devchain import FAST_BLOCKS_SECONDS
from tests.support.node import founded
from tests.support.processes import node_process
from tests.support.waiting import wait_until

MEMBER: Final = 1
READY_SECONDS: Final = 40
ANSWER_SECONDS: Final = 300
NEVER: Final = 10**9
"""Entries or seconds until a node seals that is to queue only."""

RAW: Final = "application/octet-stream"
JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class RunningNode:
    """A node that is ready."""

    url: str
    """Where it answers."""
    process: int
    """Its process id."""
    data_dir: Path
    """Where it keeps its data."""

    def get(self, path: str) -> Any:
        """Get a JSON document.

        Raises:
            RefusedError: there is none.
        """
        return json.loads(self._ask("GET", path))

    def submit(self, body: bytes, kind: str = RAW) -> None:
        """Submit entries; durable when it returns.

        Raises:
            RefusedError: they were not taken.
        """
        self._ask("POST", "/v1/entries", body, {"Content-Type": kind})

    def _ask(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> bytes:
        # One for each request: the server closes what was idle for a few seconds.
        where = urlsplit(self.url).netloc
        with closing(http.client.HTTPConnection(where, timeout=ANSWER_SECONDS)) as connection:
            connection.request(method, path, body or None, headers or {})
            answer = connection.getresponse()
            content = answer.read()
        if answer.status not in {http.client.OK, http.client.ACCEPTED}:
            raise RefusedError(f"{method} {path}: {answer.status} {content.decode()}")
        return content


@contextmanager
def running_node(directory: Path, **settings: Any) -> Iterator[RunningNode]:
    """Found a ledger on a chain of its own, and serve the node of one member."""
    directory.mkdir()
    with founded(directory, block_interval=FAST_BLOCKS_SECONDS) as consortium:
        config = consortium.write_config(MEMBER, **settings)
        with node_process(config) as node:
            wait_until(node.ready, READY_SECONDS)
            yield RunningNode(node.url, node.process.pid, consortium.settings(MEMBER).data_dir)
            node.stop()
