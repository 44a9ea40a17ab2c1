"""Which endpoints of the ledger a node connects to, and at which addresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testamur.consortium.endpoints import check_address, parse_endpoint
from testamur.errors import EndpointRefusedError

NOBODY: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("text", "url", "host", "port"),
    [
        ("https://node.example", "https://node.example:443", "node.example", 443),
        ("https://node.example/", "https://node.example:443", "node.example", 443),
        ("https://NODE.Example:8443/a/b/", "https://node.example:8443/a/b", "node.example", 8443),
        ("https://192.0.2.1", "https://192.0.2.1:443", "192.0.2.1", 443),
        ("https://[2001:DB8::1]:9", "https://[2001:db8::1]:9", "2001:db8::1", 9),
    ],
)
def test_an_https_url_is_read(text: str, url: str, host: str, port: int) -> None:
    found = parse_endpoint(text, NOBODY)
    assert (found.url, found.host, found.port, found.private) == (url, host, port, False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "node.example",
        "http://node.example",
        "ftp://node.example",
        "file:///etc/passwd",
        "https://",
        "https:///path",
        "https://user@node.example",
        "https://user:secret@node.example",
        "https://@node.example",
        "https://node.example?",
        "https://node.example/?a=b",
        "https://node.example#top",
        "https://node.example:0",
        "https://node.example:65536",
        "https://node.example:port",
        "https://node.example:-1",
        "https://node .example",
        "https://node.example\r\nHost: other",
        "https://node.example\\@other.example",
        "https://nöde.example",
        "https://node..example",
        "https://.node.example",
        "https://%6eode.example",
        "https://[::1",
        "https://[fe80::1%25eth0]",
        f"https://{'a' * 64}.example",
        "https://" + "a." * 130 + "example",
        "https://node.example/" + "a" * 1024,
    ],
)
def test_what_is_no_plain_https_url_is_refused(text: str) -> None:
    with pytest.raises(EndpointRefusedError):
        parse_endpoint(text, NOBODY)


@given(st.text(max_size=60) | st.text(max_size=60).map(lambda text: f"https://{text}"))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = parse_endpoint(text, NOBODY)
    except EndpointRefusedError:
        return
    assert found.url.startswith("https://")
    assert parse_endpoint(found.url, NOBODY) == found


def test_plain_http_and_private_addresses_need_the_name_and_the_port() -> None:
    allowed = frozenset({"127.0.0.1:8180", "node.internal:8181", "[::1]:8182"})
    for text, address in (
        ("http://127.0.0.1:8180", "127.0.0.1"),
        ("http://node.internal:8181", "10.0.0.7"),
        ("https://node.internal:8181", "10.0.0.7"),
        ("http://[::1]:8182/", "::1"),
    ):
        found = parse_endpoint(text, allowed)
        assert found.private
        check_address(found, address)
    for text in (
        "http://127.0.0.1:8181",
        "http://node.internal:8180",
        "http://other.internal:8181",
    ):
        with pytest.raises(EndpointRefusedError, match="allows it by name"):
            parse_endpoint(text, allowed)
    with pytest.raises(EndpointRefusedError, match="not public"):
        check_address(parse_endpoint("https://127.0.0.1:9999", allowed), "127.0.0.1")


@pytest.mark.parametrize("address", ["8.8.8.8", "2a00:1450:4001::1", "64:ff9b::808:808"])
def test_a_public_address_is_connected_to(address: str) -> None:
    check_address(parse_endpoint("https://node.example", NOBODY), address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104 - not listened on
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.8.8.8",
        "169.254.169.254",
        "172.16.0.1",
        "192.168.1.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "64:ff9b::7f00:1",
        "64:ff9b:1::7f00:1",
        "fc00::1",
        "fec0::1",
        "fe80::1",
        "fe80::1%1",
        "ff02::1",
        "ff0e::1",
    ],
)
def test_an_address_of_this_network_is_refused(address: str) -> None:
    with pytest.raises(EndpointRefusedError, match="not public"):
        check_address(parse_endpoint("https://node.example", NOBODY), address)
