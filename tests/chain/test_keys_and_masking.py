"""What must not be shown is not shown: keys, and the secrets in endpoint URLs."""

from __future__ import annotations

import json
import logging
import pickle
import traceback
from pathlib import Path

import pytest
from eth_account import Account

from testamur.chain.client import ChainClient
from testamur.chain.keys import SigningKey, key_from_hex, key_from_hex_file, key_from_keystore
from testamur.chain.masking import mask_url, scrub
from testamur.errors import ChainUnavailableError, ConfigurationError

SECRET = "46" * 32
ADDRESS = "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f"
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://rpc.example/v3/KEY?token=KEY#KEY", "https://rpc.example"),
        ("https://user:KEY@rpc.example:8545/", "https://rpc.example:8545"),
        ("http://[::1]:8545/KEY", "http://[::1]:8545"),
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
        ("KEY", "<masked URL>"),
        ("http://[KEY", "<masked URL>"),
        ("http://host:KEY/", "<masked URL>"),
        ("", "<masked URL>"),
    ],
)
def test_a_url_is_shown_as_scheme_and_host(url: str, shown: str) -> None:
    assert mask_url(url) == shown


def test_foreign_messages_lose_the_url_and_their_length() -> None:
    url = "https://user:pass@rpc.example/v3/KEY?token=T0K"
    text = f"no {url} and /v3/KEY?token=T0K by user:pass\n" + "x" * 1000
    shown = scrub(text, url)
    assert not {"KEY", "T0K", "pass", "\n"} & set(shown.replace("<masked>", " ").split())
    assert "KEY" not in shown
    assert len(shown) <= 300


def test_an_outage_shows_no_secret_anywhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for library in ("urllib3", "web3.providers.HTTPProvider"):
        caplog.set_level(logging.DEBUG, library)
    url = "http://user:SECRETPASS@127.0.0.1:9/v3/SECRETPATH?key=SECRETQUERY"
    with (
        ChainClient(url, timeout_seconds=1) as client,
        pytest.raises(ChainUnavailableError) as raised,
    ):
        client.chain_id()
    whole = "".join(traceback.format_exception(raised.value)) + caplog.text
    assert "SECRET" not in whole
    assert "127.0.0.1:9" in str(raised.value)
    assert "SECRET" not in repr(client._rpc)  # noqa: SLF001 - what a debugger prints


def test_a_key_shows_its_address_alone(tmp_path: Path) -> None:
    key = key_from_hex(f"0x{SECRET}\n", "test")
    assert key.address.hex() == ADDRESS
    assert repr(key) == f"SigningKey(address=0x{ADDRESS})"
    with pytest.raises(TypeError):
        pickle.dumps(key)
    (tmp_path / "key").write_text(SECRET)
    assert key_from_hex_file(tmp_path / "key").address == key.address


@pytest.mark.parametrize(
    "text", ["", SECRET[:-1], SECRET + "00", "zz" * 32, "00" * 32, f"{ORDER:064x}"]
)
def test_what_is_no_key_is_refused_without_being_shown(text: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(text)
    for attempt in (
        lambda: key_from_hex(text, "the setting"),
        lambda: key_from_hex_file(tmp_path / "key"),
    ):
        with pytest.raises(ConfigurationError) as raised:
            attempt()
        shown = "".join(traceback.format_exception(raised.value))
        assert not text or text not in shown


def test_a_keystore_opens_with_its_password_alone(tmp_path: Path) -> None:
    path = tmp_path / "keystore.json"
    path.write_text(json.dumps(Account.encrypt("0x" + SECRET, "right", iterations=2)))
    assert key_from_keystore(path, "right").address.hex() == ADDRESS
    with pytest.raises(ConfigurationError, match="password is wrong"):
        key_from_keystore(path, "wrong")
    for content in (b"{}", b"[]", b"\xff", b"x" * 70_000):
        path.write_bytes(content)
        with pytest.raises(ConfigurationError):
            key_from_keystore(path, "right")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        key_from_keystore(tmp_path / "none", "right")


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_signing_key_has_32_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="not a secp256k1 key"):
        SigningKey(bytes([1]) * length)
