"""Settings that give up a protection: asked for by name, off by default, said at each start."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from testamur.chain.loopback import is_loopback
from testamur.config.settings import NodeSettings
from testamur.ledger.trust import NetworkKind

DEPTH_SAFE: Final = 12
"""Fewer blocks than this have been reorganised away on public chains."""


@dataclass(frozen=True, slots=True)
class UnsafeSetting:
    """One way in which settings give up a protection."""

    name: str
    """The setting that asks for it."""
    applies: Callable[[NodeSettings], bool]
    """Whether these settings do."""
    consequence: str
    """What follows, and what to do instead; a sentence for the operator without any value."""


def unsafe_settings(settings: NodeSettings) -> Iterator[UnsafeSetting]:
    """Give those that these settings ask for, in the order of :data:`UNSAFE`."""
    return (unsafe for unsafe in UNSAFE if unsafe.applies(settings))


def _plain_over_a_network(settings: NodeSettings) -> bool:
    url = urlsplit(settings.rpc_url.get_secret_value())
    return url.scheme == "http" and not is_loopback(url.hostname or "")


UNSAFE: Final = (
    UnsafeSetting(
        "open_submission",
        lambda settings: settings.open_submission,
        "whoever reaches the node can have anything anchored in the member's name, without a "
        "token: leave it out, and give tokens with testamur token create",
    ),
    UnsafeSetting(
        "anchor_key_file",
        lambda settings: settings.anchor_key_file is not None,
        "the anchor key lies unencrypted in a file, and whoever reads it can anchor in the "
        "member's name and spend its coins: use anchor_keystore",
    ),
    UnsafeSetting(
        "host",
        lambda settings: not is_loopback(settings.host),
        "the node listens beyond this machine and without TLS: put a proxy before it, and see "
        "that nothing else reaches the port",
    ),
    UnsafeSetting(
        "rpc_url",
        _plain_over_a_network,
        "what the chain says comes unencrypted over a network, and whoever sits there can alter "
        "it and read the key in the URL: use https",
    ),
    UnsafeSetting(
        "finality_depth",
        lambda settings: (
            settings.network_kind is NetworkKind.MAIN
            and settings.finality_depth is not None
            and settings.finality_depth < DEPTH_SAFE
        ),
        "so few blocks can be reorganised away, and with them what receipts call final; right "
        "only where the chain never reorganises: leave it out, where the chain has a finalized tag",
    ),
    UnsafeSetting(
        "batch_floor",
        lambda settings: settings.batch_floor <= 1,
        "a batch of one puts one person's leaf on the chain as a root: leave the floor above 1",
    ),
    UnsafeSetting(
        "allowed_private_endpoints",
        lambda settings: bool(settings.allowed_private_endpoints),
        "the node speaks to these members' endpoints also in its own network and without TLS, as "
        "a trial on one machine needs it: leave the list empty where members are on the internet",
    ),
)
