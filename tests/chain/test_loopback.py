"""What stays on this machine: no proxy is asked to bring it there."""

from __future__ import annotations

import pytest

from testamur.chain.client import ChainClient
from testamur.chain.loopback import is_loopback, is_plain_and_here
from testamur.errors import ChainUnavailableError
from tests.support.canned_server import CannedServer
from tests.support.devchain import NEVER_SECONDS, running_devchain


@pytest.mark.parametrize("host", ["", "::", "192.0.2.1", "node.example", "localhost.example"])
def test_a_host_that_is_not_surely_loopback_counts_as_reachable(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://localhost:8545", True),
        ("http://127.0.0.9/key", True),
        ("http://[::1]:8545", True),
        ("https://localhost:8545", False),
        ("http://rpc.example", False),
        ("http://[::1", False),
        ("", False),
    ],
)
def test_plain_http_to_this_machine_is_told_from_all_else(url: str, *, here: bool) -> None:
    assert is_plain_and_here(url) == here


def test_a_chain_on_this_machine_is_reached_where_a_proxy_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with running_devchain(block_interval=NEVER_SECONDS) as chain, CannedServer({}) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        with ChainClient(chain.url, timeout_seconds=10) as client:
            assert client.chain_id() == 1337
        assert proxy.asked == []
        # Whoever has to use one to get out still does.
        with (
            ChainClient("http://rpc.example", timeout_seconds=10) as client,
            pytest.raises(ChainUnavailableError),
        ):
            client.chain_id()
        assert proxy.asked == ["http://rpc.example/"]
