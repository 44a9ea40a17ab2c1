"""The settings of a node.

Each says its meaning, unit, default, the effect if it is wrong, and what whoever controls it gains.
`testamur init` writes these texts into the file that it makes.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from testamur.ledger.trust import FinalityRule, Network, NetworkKind
from testamur.merkle.hashing import Hash32

ENVIRONMENT_PREFIX = "TESTAMUR_"


class NodeSettings(BaseSettings):
    """All settings of ``testamur serve``."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX, extra="forbid", use_attribute_docstrings=True
    )

    data_dir: Path
    """Directory of database and batch files; made where it is missing. One node each. Whoever can
    write there can stop the node, make it forget, make himself a token, or put entries into its
    queue, which are then anchored in the member's name; records and batch roots are checked
    against the chain."""

    rpc_url: SecretStr
    """JSON-RPC endpoint of the chain. Shown as scheme and host only. Whoever controls it can hide
    new records from this node, and can show it a head of his own making; a second node on another
    endpoint finds that out."""

    contract: Annotated[str, Field(pattern="^0x[0-9a-fA-F]{40}$")]
    """Address of the ledger contract. A wrong one is another ledger: the node refuses to start
    with data of the first."""

    contract_block: Annotated[int, Field(ge=1)]
    """Block of its deployment, where following begins. A wrong one: the birth is not found, and
    the node does not start."""

    ledger_id: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    """Id of the ledger, as its members publish it: the node refuses a contract with another birth.
    None: at its first start a new node takes it from the one RPC endpoint, whose owner could give
    it a contract with members of his own."""

    member: Annotated[int, Field(ge=1, le=2**32 - 1)]
    """Id of the member that runs this node."""

    anchor_key_file: Path | None = None
    """File with the member's anchor key in hex, for development. Whoever has the key can anchor
    in the member's name and spend its coins. None: this node follows and proves, but never
    anchors."""

    anchor_keystore: Path | None = None
    """Encrypted keystore (version 3) with the anchor key; the way to keep it for real."""

    anchor_keystore_password: SecretStr | None = None
    """Its password; give it by environment."""

    network_name: Annotated[str, Field(min_length=1, max_length=64)] = "devchain"
    """How the chain is called in reports."""

    network_kind: NetworkKind = NetworkKind.LOCAL
    """``local``, ``test`` or ``main``. Anything but main is labelled in every report, so a wrong
    ``main`` would make a trial look real."""

    finality_depth: Annotated[int, Field(ge=1)] | None = None
    """Blocks until an anchor counts as final; None: the chain's ``finalized`` tag. Too small: a
    reorganisation can take back what was called final."""

    host: str = "127.0.0.1"
    """Address to listen on. Beyond loopback, tokens can be read on their way, unless a proxy with
    TLS stands before the node."""

    port: Annotated[int, Field(ge=0, le=65535)] = 8180
    """Port to listen on; 0 takes a free one."""

    seal_at_count: Annotated[int, Field(ge=1)] = 65_536
    """Seal as soon as this many entries wait. Smaller: more anchors, more gas."""

    seal_after_seconds: Annotated[int, Field(ge=0)] = 60
    """Seal when the oldest entry has waited this long. Smaller: sooner registered, more gas."""

    batch_floor: Annotated[int, Field(ge=0, le=2**18)] = 16
    """Pad smaller batches to this many entries, so that no single person's leaf is a root."""

    open_submission: bool = False
    """Whether whoever reaches the node may submit without a token. True is for trials: on a machine
    that others reach, anybody can have anything anchored in the member's name."""

    submission_entries_max: Annotated[int, Field(ge=1, le=100_000)] = 100_000
    """Most entries in one submission."""

    queue_entries_max: Annotated[int, Field(ge=1)] = 2_000_000
    """Most entries that wait to be sealed; more are refused. Smaller than a busy day brings: they
    are refused while the chain is down."""

    disk_free_mib_min: Annotated[int, Field(ge=0)] = 512
    """With less free space in the data directory, in MiB, nothing new is taken. 0: a full disk is
    met in the middle of a write, and the node stops."""

    client_requests_per_second: Annotated[float, Field(ge=0)] = 20.0
    """Requests that one client address may go on making; not counted are submissions, health, and
    what comes from this machine. 0: any number, so that one client can keep the node busy."""

    client_requests_burst: Annotated[int, Field(ge=1)] = 200
    """Requests that one client may make at once, before the rate counts."""

    trusted_proxies: str | None = None
    """Addresses or networks of proxies, parted by commas, whose ``X-Forwarded-For`` says who the
    client is. Too many: whoever is among them can pass for any client. Left out behind a proxy:
    all its clients count as one, or, where it is on this machine, are not limited."""

    poll_seconds: Annotated[float, Field(gt=0)] = 2.0
    """Pause between two looks at the chain."""

    rpc_timeout_seconds: Annotated[float, Field(gt=0)] = 5.0
    """Longest wait for an answer of the chain. With more than ten seconds, whoever verifies gives
    up on the node before the node gives up on the chain."""

    fee_cap_gwei: Annotated[int, Field(ge=1)] = 500
    """Most that is paid for a unit of gas. Too small: anchors wait while the chain is busy."""

    allowed_private_endpoints: tuple[
        Annotated[str, Field(pattern=r"^(\[[0-9a-f:.]+\]|[a-z0-9._-]+):[1-9][0-9]{0,4}$")], ...
    ] = ()
    """Endpoints of other members, as ``host:port``, that may be at private addresses and may
    speak plain HTTP. Every other one has to be https at a public address, because a member could
    otherwise make this node speak to services of its own network. Whoever controls this list
    chooses which of those are spoken to."""

    @field_validator("rpc_url")
    @classmethod
    def _check_rpc_url(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(("http://", "https://")):
            raise ValueError("an RPC URL starts with http:// or https://")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _check_trusted_proxies(cls, value: str | None) -> str | None:
        try:
            _networks(value)
        except ValueError as exc:
            raise ValueError("an address or network is malformed") from exc
        return value

    @property
    def trusted_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Where trusted proxies are."""
        return _networks(self.trusted_proxies)

    @property
    def contract_address(self) -> bytes:
        """The contract's address, 20 bytes."""
        return bytes.fromhex(self.contract[2:])

    @property
    def expected_ledger(self) -> Hash32 | None:
        """The id that the ledger must have; None: any."""
        return None if self.ledger_id is None else Hash32(bytes.fromhex(self.ledger_id))

    @property
    def network(self) -> Network:
        """Name and kind of the chain."""
        return Network(self.network_name, self.network_kind)

    @property
    def finality(self) -> FinalityRule:
        """Which heads count as final."""
        return FinalityRule(self.finality_depth)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what is given and nothing else; :mod:`testamur.config.loading` asks the rest."""
        return (init_settings,)


def _networks(text: str | None) -> tuple[IPv4Network | IPv6Network, ...]:
    return () if text is None else tuple(ip_network(part.strip()) for part in text.split(","))
