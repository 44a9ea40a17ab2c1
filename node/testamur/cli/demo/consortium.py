"""A consortium for the demo: the embedded chain, a ledger with three members, a node for each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from testamur.cli.demo.processes import Processes, free_ports

if TYPE_CHECKING:
    from testamur.chain.deployment import Deployment

UNIVERSITIES = (
    ("University of Aldermere", "aldermere.example"),
    ("Universidad de Brisamar", "brisamar.example"),
    ("Cassel-Nord University", "cassel-nord.example"),
)


@dataclass(frozen=True, slots=True)
class Member:
    """One university of the demo."""

    id: int
    """Member id."""
    name: str
    """Name."""
    domain: str
    """Domain; one that cannot exist."""
    url: str
    """Where its node answers."""
    port: int
    """The port of it."""

    @property
    def process(self) -> str:
        """Name of its node's process and log."""
        return f"node-{self.id}"


@dataclass(frozen=True, slots=True)
class Consortium:
    """All of it, running."""

    processes: Processes
    """Its processes, and the directory of their files."""
    chain: Chain
    """The chain."""
    members: Sequence[Member]
    """The universities."""
    deployment: Deployment
    """Their ledger on the chain."""
    http: httpx.Client
    """To ask the nodes; one for all, because each new one reads the certificates of the web."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The embedded chain."""

    url: str
    """JSON-RPC endpoint."""
    accounts: tuple[tuple[str, str], ...]
    """Address and public key-that-should-be-secret of each funded account."""


def start(processes: Processes, http: httpx.Client) -> Consortium:
    """Start the chain, deploy the ledger, start the nodes, and wait until all are ready."""
    chain = _start_chain(processes)
    members, deployment = _found(chain)
    consortium = Consortium(processes, chain, members, deployment, http)
    _start_nodes(consortium)
    return consortium


def _start_chain(processes: Processes) -> Chain:
    """Start the embedded chain and read where it answers."""
    announced = processes.directory / "chain.json"
    announced.touch()
    processes.start(
        "chain",
        "devchain",
        "--port=0",
        "--json",
        f"--data-dir={processes.directory / 'chain'}",
        output=announced,
    )
    # While it starts, this process loads what it needs to speak with it.
    import testamur.chain.deployment  # noqa: F401, PLC0415

    told: dict[str, Any] = processes.wait_until("chain", lambda: _json_in(announced))
    accounts = tuple((one["address"], one["private_key"]) for one in told["accounts"])
    return Chain(told["url"], accounts)


def _found(chain: Chain) -> tuple[Sequence[Member], Deployment]:
    """Deploy a ledger whose founders are the three universities."""
    from testamur.chain.client import ChainClient  # noqa: PLC0415 (slow to import)
    from testamur.chain.deployment import deploy  # noqa: PLC0415
    from testamur.chain.keys import key_from_hex  # noqa: PLC0415
    from testamur.ledger.birth import FoundingMember  # noqa: PLC0415

    ports = free_ports(len(UNIVERSITIES))
    members = [
        Member(number, name, domain, f"http://127.0.0.1:{port}", port)
        for number, ((name, domain), port) in enumerate(zip(UNIVERSITIES, ports, strict=True), 1)
    ]
    founders = [
        FoundingMember(
            anchor_key=bytes.fromhex(chain.accounts[member.id][0][2:]),
            control_key=bytes.fromhex(chain.accounts[member.id + len(members)][0][2:]),
            # Cosignatures come with the consortium; until then the key only has to be distinct.
            witness_key=sha256(member.domain.encode()).digest(),
            name=member.name,
            domain=member.domain,
            endpoint=member.url,
        )
        for member in members
    ]
    client = ChainClient(chain.url, timeout_seconds=20)
    key = key_from_hex(chain.accounts[0][1], "the embedded chain")
    return members, deploy(client, key, founders)


def _start_nodes(consortium: Consortium) -> None:
    """Write each node's settings, start all, and wait until all are ready."""
    processes, chain = consortium.processes, consortium.chain
    for member in consortium.members:
        home = processes.directory / member.process
        home.mkdir()
        (home / "anchor.key").touch(mode=0o600)
        (home / "anchor.key").write_text(chain.accounts[member.id][1] + "\n")
        (home / "node.toml").write_text(_settings(member, consortium))
        processes.start(member.process, "serve", f"--config={home / 'node.toml'}")
    for member in consortium.members:
        processes.wait_until(member.process, partial(_ready, consortium.http, member.url))


def _settings(member: Member, consortium: Consortium) -> str:
    chain, deployment = consortium.chain, consortium.deployment
    nodes = [f"127.0.0.1:{other.port}" for other in consortium.members]
    return f"""# The node of {member.name}, made by `testamur demo`.
data_dir = "data"
rpc_url = "{chain.url}"
contract = "0x{deployment.contract.hex()}"
contract_block = {deployment.block_number}
member = {member.id}
anchor_key_file = "anchor.key"
network_name = "embedded chain"
network_kind = "local"
port = {member.port}
seal_after_seconds = 0
open_submission = true
poll_seconds = 0.2
# All of it is on this machine; real members are reached at public addresses.
allowed_private_endpoints = {json.dumps(nodes)}
"""


def _json_in(path: Path) -> dict[str, Any] | None:
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except ValueError:
        return None


def _ready(http: httpx.Client, url: str) -> bool:
    try:
        return http.get(f"{url}/health/ready").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
