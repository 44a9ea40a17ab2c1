"""A consortium for tests: an embedded chain, a ledger of three universities, and real nodes.

Everything is the product's own: nodes are built by the bootstrap and answer real HTTP from a
thread. Their stages are stepped by hand and blocks are mined by hand, so that every state between
submission and finality stands still for as long as a test looks at it.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from testamur.api.app import create_app
from testamur.api.server import BoundedHttpProtocol, make_server
from testamur.bootstrap import Node, open_node
from testamur.chain.client import ChainClient
from testamur.chain.deployment import Deployment, deploy
from testamur.chain.devchain.accounts import ACCOUNTS
from testamur.chain.keys import key_from_hex
from testamur.config import NodeSettings
from testamur.credentials import claims, commitment, profiles
from testamur.ledger.birth import FoundingMember
from testamur.ledger.view import Presented
from testamur.merkle.hashing import Hash32
from testamur.web.pages import Pages
from tests.support.devchain import NEVER_SECONDS, RunningDevchain, running_devchain
from tests.support.paper_ledger import UNIVERSITIES
from tests.support.samples import PROJECT
from tests.support.waiting import wait_until

EXAMPLES = PROJECT / "examples" / "credentials"
STATES = ("queued", "sealed", "submitted", "anchored", "final")
RPC_TIMEOUT_SECONDS = 10.0
_START_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Committed:
    """A credential with its commitment, as its holder has it."""

    data: bytes
    """The file."""
    name: str
    """The file's name."""
    profile: str
    """Its profile."""
    salt: Hash32
    """Its salt."""
    digest: Hash32
    """Its digest."""
    entry: Hash32
    """What is submitted."""

    @property
    def presented(self) -> Presented:
        """What a verifier with the file computes."""
        return Presented(self.profile, self.digest, claims.issuer(self.data, self.profile))


@dataclass(slots=True)
class HttpNode:
    """A node of the consortium, in this process, answering on loopback."""

    member: int
    """Whose."""
    settings: NodeSettings
    """What it was built with."""
    node: Node
    """Its parts."""
    url: str
    """Where it answers."""
    http: httpx.Client
    """A client for it, with relative paths."""

    def step(self, *names: str) -> None:
        """Run the named stages once, or all of them: follow, replicate, seal, anchor."""
        for stage in self.node.stages:
            if not names or stage.name in names:
                stage.step()

    def submit(self, *committed: Committed) -> dict[str, Any]:
        """Submit over HTTP."""
        entries = [one.entry.hex() for one in committed]
        answer = self.http.post("/v1/entries", json=entries)
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    def state(self, entry: bytes) -> str:
        """Ask over HTTP where an entry stands."""
        answer = self.http.get(f"/v1/entries/{entry.hex()}")
        assert answer.status_code == 200, answer.text
        return str(answer.json()["state"])

    def receipt(self, committed: Committed) -> dict[str, Any]:
        """Get a receipt over HTTP and fill in the commitment, as the holder's tool does."""
        answer = self.http.get(f"/v1/receipts/{committed.entry.hex()}")
        assert answer.status_code == 200, answer.text
        made = {"profile": committed.profile, "salt": committed.salt.hex()}
        return dict(answer.json()) | {"commitment": made}

    def ask(self, profile: str, digest: bytes, receipt: object) -> dict[str, Any]:
        """Verify a digest over HTTP; the answer is a report whatever the verdict."""
        body = {"profile": profile, "digest": digest.hex(), "receipt": receipt}
        answer = self.http.post("/v1/verify", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def verify(self, committed: Committed, receipt: object) -> dict[str, Any]:
        """Verify a credential of ours over HTTP, by its digest."""
        return self.ask(committed.profile, committed.digest, receipt)


@dataclass
class Consortium:
    """Chain, ledger and directories; nodes are opened one by one."""

    chain: RunningDevchain
    """The chain; empty blocks come by hand only."""
    deployment: Deployment
    """The ledger on it."""
    directory: Path
    """Where the nodes keep their data."""
    ports: tuple[int, ...]
    """Where the nodes of members 1, 2, ... answer, as their endpoints on chain say."""
    clock: Callable[[], float] = time.time
    """What the nodes read as the time."""
    nodes: dict[int, HttpNode] = field(default_factory=dict)
    """The nodes that are open, by member."""
    _drawn: int = 0

    @property
    def ledger_id(self) -> Hash32:
        """Leaf hash of record 0."""
        return self.deployment.ledger_id

    @property
    def private_endpoints(self) -> list[str]:
        """What an operator has to allow, since all of it is on one machine."""
        return [f"127.0.0.1:{port}" for port in self.ports]

    def settings(self, member: int, /, **given: Any) -> NodeSettings:
        """Give the settings of a member's node."""
        home = self.directory / f"node-{member}"
        home.mkdir(exist_ok=True)
        key = home / "anchor.key"
        key.write_text(ACCOUNTS[member].private_key + "\n")
        values: dict[str, Any] = {
            "data_dir": home / "data",
            "rpc_url": SecretStr(self.chain.url),
            "contract": "0x" + self.deployment.contract.hex(),
            "contract_block": self.deployment.block_number,
            "member": member,
            "anchor_key_file": key,
            "network_name": "embedded chain",
            "seal_after_seconds": 0,
            "open_submission": True,
            "rpc_timeout_seconds": RPC_TIMEOUT_SECONDS,
            "allowed_private_endpoints": self.private_endpoints,
        }
        return NodeSettings(**(values | given))

    @contextmanager
    def serving(self, member: int, /, **given: Any) -> Iterator[HttpNode]:
        """Open a member's node and serve it; nothing of it runs unless it is stepped."""
        settings = self.settings(member, **given)
        with (
            open_node(settings, clock=self.clock) as node,
            served(self.app_of(node), self.ports[member - 1]) as url,
            httpx.Client(base_url=url, timeout=30) as http,
        ):
            self.nodes[member] = HttpNode(member, settings, node, url, http)
            try:
                yield self.nodes[member]
            finally:
                del self.nodes[member]

    def app_of(self, node: Node) -> FastAPI:
        """Make the application of a node, pages included."""
        return create_app(node.service, pages=Pages(node.service, clock=self.clock))

    def commit(self, member: int, data: bytes, name: str = "credential.json") -> Committed:
        """Commit to a credential for ``member``, with a salt that was never used."""
        self._drawn += 1
        salt = Hash32(sha256(f"salt {self._drawn}".encode()).digest())
        profile = profiles.detect(data)
        digest = profiles.digest(data, profile)
        entry = commitment.entry(
            ledger_id=self.ledger_id, member=member, profile=profile, salt=salt, digest=digest
        )
        return Committed(data, name, profile, salt, digest, entry)

    def some(self, member: int, count: int = 1) -> list[Committed]:
        """Commit to that many made-up credentials."""
        first = self._drawn
        return [
            self.commit(member, b'{"degree":"number %d"}' % number)
            for number in range(first, first + count)
        ]

    def finalize(self) -> None:
        """Mine empty blocks until everything that is on the chain is final."""
        while self.chain.chain.awaits_finality():
            self.chain.chain.mine_empty_block()

    def bring(self, node: HttpNode, entry: bytes, state: str) -> None:
        """Step a node until it says over HTTP that ``entry`` is in ``state``, and no further."""
        wanted = STATES.index(state)
        for _ in range(20):
            reached = STATES.index(node.state(entry))
            if reached == wanted:
                return
            assert reached < wanted
            if reached == STATES.index("queued"):
                node.step("sealing")
                continue
            if wanted == STATES.index("final"):
                self.finalize()
            node.step("following")
            node.step("anchoring")
        raise AssertionError(f"not {state} after 20 steps")

    def register(self, node: HttpNode, *committed: Committed) -> list[dict[str, Any]]:
        """Submit, bring to finality, and give the holders' receipts."""
        node.submit(*committed)
        for one in committed:
            self.bring(node, one.entry, "final")
        return [node.receipt(one) for one in committed]

    def write_config(self, member: int, /, **given: Any) -> Path:
        """Write the settings of a member's node as its operator would; quick in everything."""
        settings = self.settings(member)
        values: Mapping[str, Any] = {
            "data_dir": "data",
            "rpc_url": self.chain.url,
            "contract": settings.contract,
            "contract_block": settings.contract_block,
            "member": member,
            "anchor_key_file": "anchor.key",
            "network_name": "embedded chain",
            "port": self.ports[member - 1],
            "allowed_private_endpoints": self.private_endpoints,
            "seal_after_seconds": 0,
            "open_submission": True,
            "poll_seconds": 0.05,
        } | given
        lines = [f"{name} = {json.dumps(value, default=str)}" for name, value in values.items()]
        path = settings.data_dir.parent / "node.toml"
        path.write_text("\n".join(lines) + "\n")
        return path


@contextmanager
def founded(
    directory: Path,
    *,
    block_interval: float = NEVER_SECONDS,
    finality: int = 2,
    parent_blocks: int = 0,
) -> Iterator[Consortium]:
    """Found a consortium on a chain of its own. The birth is final when it is handed out.

    Every fresh chain has the same genesis; ``parent_blocks`` empty ones make another ledger.
    """
    with (
        running_devchain(block_interval=block_interval, finality=finality) as chain,
        reserved_ports(len(UNIVERSITIES)) as ports,
    ):
        for _ in range(parent_blocks):
            chain.chain.mine_empty_block()
        with ChainClient(chain.url, timeout_seconds=RPC_TIMEOUT_SECONDS) as client:
            endpoints = [f"http://127.0.0.1:{port}" for port in ports]
            key = key_from_hex(ACCOUNTS[0].private_key, "test")
            deployment = deploy(client, key, founders(endpoints))
        consortium = Consortium(chain, deployment, directory, ports)
        consortium.finalize()
        yield consortium


@contextmanager
def three_nodes(directory: Path) -> Iterator[Consortium]:
    """Found a consortium and serve the nodes of all three members, up to date."""
    with founded(directory) as consortium, ExitStack() as stack:
        for member in range(1, len(UNIVERSITIES) + 1):
            stack.enter_context(consortium.serving(member)).step("following")
        yield consortium


@contextmanager
def reserved_ports(count: int) -> Iterator[tuple[int, ...]]:
    """Keep free ports for servers that come and go: nobody else gets them, nothing answers there.

    A socket that is bound and does not listen refuses connections, and leaves its port to a
    listener that reuses the address, as every server here does.
    """
    with ExitStack() as stack:
        ports = []
        for _ in range(count):
            reserved = stack.enter_context(socket.socket())
            reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            reserved.bind(("127.0.0.1", 0))
            ports.append(reserved.getsockname()[1])
        yield tuple(ports)


def founders(endpoints: Sequence[str] | None = None) -> list[FoundingMember]:
    """Give the three universities that the example credentials name, with public test keys.

    Their nodes are at ``endpoints``; None: where no node is.
    """
    return [
        FoundingMember(
            anchor_key=bytes.fromhex(ACCOUNTS[number].address.removeprefix("0x")),
            control_key=bytes.fromhex(ACCOUNTS[number + 3].address.removeprefix("0x")),
            witness_key=sha256(f"witness {domain}".encode()).digest(),
            name=name,
            domain=domain,
            endpoint=endpoints[number - 1] if endpoints else f"https://testamur.{domain}",
        )
        for number, (name, domain) in enumerate(UNIVERSITIES, start=1)
    ]


@contextmanager
def served(
    app: FastAPI, port: int = 0, *, protocol: type[BoundedHttpProtocol] | None = None
) -> Iterator[str]:
    """Serve an application as ``testamur serve`` does, from a thread; give its URL."""
    server = make_server(app, protocol=protocol)
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen(64)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            wait_until(lambda: server.started, _START_SECONDS)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(_START_SECONDS)
