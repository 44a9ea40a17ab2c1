"""Settings: documented to the letter, and refused by name without ever showing a value."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic_core import PydanticUndefined

from testamur.config import (
    ENVIRONMENT_PREFIX,
    NodeSettings,
    load_settings,
    names_a_chain,
    read_settings,
    settings_file,
    unsafe_settings,
)
from testamur.config.loading import CHAIN_SETTINGS
from testamur.config.unsafe import UNSAFE
from testamur.errors import ConfigurationError
from tests.support.samples import PROJECT

PAGE = (PROJECT / "docs" / "settings.md").read_text("utf-8")
GOOD = {
    "data_dir": "data",
    "rpc_url": "http://127.0.0.1:8545",
    "contract": "0x" + "c0" * 20,
    "contract_block": 1,
    "member": 1,
}


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NodeSettings.model_fields:
        monkeypatch.delenv(ENVIRONMENT_PREFIX + name.upper(), raising=False)


def write(tmp_path: Path, **given: Any) -> Path:
    values = {name: value for name, value in (GOOD | given).items() if value is not ...}
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    path = tmp_path / "node.toml"
    path.write_text("\n".join(lines))
    return path


def default_of(name: str) -> str:
    default = NodeSettings.model_fields[name].default
    if default is PydanticUndefined:
        return "required"
    return "none" if default in (None, ()) else f"`{getattr(default, 'value', default)}`"


def test_the_page_names_every_setting_with_its_default_and_no_other() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
    assert [(name, default) for name, default, _, _ in rows] == [
        (name, default_of(name)) for name in NodeSettings.model_fields
    ]
    for name, _, meaning, danger in rows:
        assert meaning.endswith("."), name
        assert danger.endswith("."), name
    assert f"`{ENVIRONMENT_PREFIX}" in PAGE


def test_the_example_of_the_page_is_taken(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.+?)```", PAGE, re.DOTALL)
    path = tmp_path / "node.toml"
    path.write_text(example)
    settings = load_settings(path)
    assert settings.data_dir.parent == tmp_path


def test_the_page_names_the_unsafe_settings_and_no_other() -> None:
    section = PAGE.split("\n## Unsafe settings\n")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == [one.name for one in UNSAFE]


def test_what_is_not_given_has_its_default_and_paths_are_beside_the_file(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, anchor_key_file="keys/anchor.key"))
    assert settings.data_dir == tmp_path / "data"
    assert settings.anchor_key_file == tmp_path / "keys" / "anchor.key"
    assert (settings.host, settings.port, settings.batch_floor) == ("127.0.0.1", 8180, 16)


def test_the_environment_overrides_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESTAMUR_PORT", "9000")
    monkeypatch.setenv("TESTAMUR_DATA_DIR", "/elsewhere")
    settings = load_settings(write(tmp_path, port=8000))
    assert (settings.port, settings.data_dir) == (9000, Path("/elsewhere"))


def test_the_environment_alone_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in GOOD.items():
        monkeypatch.setenv(ENVIRONMENT_PREFIX + name.upper(), str(value))
    assert load_settings(None).member == 1


@pytest.mark.parametrize("name", GOOD)
def test_a_missing_setting_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name}: Field required"):
        load_settings(write(tmp_path, **{name: ...}))


OTHER: dict[str, tuple[Any, Any]] = {
    "data_dir": ("/one", "/other"),
    "rpc_url": ("https://one.example/s3cret", "https://other.example/s3cret"),
    "contract": ("0x" + "c0" * 20, "0x" + "c1" * 20),
    "contract_block": (1, 2),
    "ledger_id": ("ab" * 32, "cd" * 32),
    "member": (1, 2),
    "anchor_key_file": ("/one", "/other"),
    "anchor_keystore": ("/one", "/other"),
    "anchor_keystore_password": ("s3cret one", "s3cret other"),
    "network_name": ("one", "other"),
    "network_kind": ("test", "main"),
    "finality_depth": (1, 2),
    "host": ("127.0.0.1", "127.0.0.2"),
    "port": (8001, 8002),
    "seal_at_count": (1, 2),
    "seal_after_seconds": (1, 2),
    "batch_floor": (2, 3),
    "open_submission": (True, False),
    "submission_entries_max": (1, 2),
    "queue_entries_max": (1, 2),
    "disk_free_mib_min": (1, 2),
    "client_requests_per_second": (1.5, 2.5),
    "client_requests_burst": (1, 2),
    "trusted_proxies": ("127.0.0.1", "10.0.0.0/8, ::1"),
    "poll_seconds": (1.5, 2.5),
    "rpc_timeout_seconds": (1.5, 2.5),
    "fee_cap_gwei": (1, 2),
    "allowed_private_endpoints": (["127.0.0.1:1"], ["node.internal:8180", "[::1]:2"]),
}
"""For each setting two values that fit."""


def test_there_are_two_values_for_each_setting() -> None:
    assert list(OTHER) == list(NodeSettings.model_fields)


@pytest.mark.parametrize("name", OTHER)
def test_any_setting_in_the_environment_overrides_the_file_and_an_option_overrides_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    one, other = OTHER[name]
    file = write(tmp_path, **{name: one})
    from_file = getattr(load_settings(file), name)
    text = json.dumps(other) if isinstance(other, list) else str(other)
    monkeypatch.setenv(ENVIRONMENT_PREFIX + name.upper(), text)
    from_environment = getattr(load_settings(file), name)
    assert from_environment != from_file
    assert getattr(load_settings(file, {name: one}), name) == from_file


@pytest.mark.parametrize("name", sorted(set(CHAIN_SETTINGS) - {"rpc_url", "contract"}))
def test_half_a_chain_is_none_and_what_is_missing_is_named(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} given without rpc_url and contract"):
        names_a_chain({name: "s3cret"})
    assert name in NodeSettings.model_fields


@pytest.mark.parametrize(("name", "missing"), [("rpc_url", "contract"), ("contract", "rpc_url")])
def test_one_without_the_other_is_an_error_that_names_the_other(name: str, missing: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} given without {missing}: .*") as caught:
        names_a_chain({name: "s3cret"})
    assert ENVIRONMENT_PREFIX + missing.upper() in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_chain_is_named_by_both_and_by_nothing_else() -> None:
    assert names_a_chain(GOOD)
    others = {name: value for name, (value, _) in OTHER.items() if name not in CHAIN_SETTINGS}
    assert not names_a_chain({})
    assert not names_a_chain(others)


UNSAFE_VALUES: dict[str, dict[str, Any]] = {
    "open_submission": {"open_submission": True},
    "anchor_key_file": {"anchor_key_file": "anchor.key"},
    "host": {"host": "0.0.0.0"},  # noqa: S104 - the point
    "rpc_url": {"rpc_url": "http://rpc.example/s3cret"},
    "finality_depth": {"finality_depth": 11, "network_kind": "main"},
    "batch_floor": {"batch_floor": 1},
    "allowed_private_endpoints": {"allowed_private_endpoints": ["s3cret.internal:8180"]},
}
"""For each unsafe setting what asks for it."""


def test_no_setting_is_unsafe_by_default(tmp_path: Path) -> None:
    assert list(unsafe_settings(load_settings(write(tmp_path)))) == []
    assert list(unsafe_settings(load_settings(write(tmp_path, network_kind="main")))) == []


def test_for_each_unsafe_setting_it_is_known_what_asks_for_it() -> None:
    assert list(UNSAFE_VALUES) == [unsafe.name for unsafe in UNSAFE]


@pytest.mark.parametrize("name", UNSAFE_VALUES)
def test_an_unsafe_setting_is_found_and_told_without_its_value(tmp_path: Path, name: str) -> None:
    settings = load_settings(write(tmp_path, **UNSAFE_VALUES[name]))
    (found,) = unsafe_settings(settings)
    assert found.name == name
    assert name in NodeSettings.model_fields
    assert "s3cret" not in found.consequence


@pytest.mark.parametrize(
    "given",
    [
        {"host": "127.0.0.9"},
        {"host": "::1"},
        {"host": "localhost"},
        {"rpc_url": "https://rpc.example"},
        {"rpc_url": "http://localhost:8545"},
        {"rpc_url": "http://[::1]:8545"},
        {"finality_depth": 12, "network_kind": "main"},
        {"finality_depth": 1, "network_kind": "test"},
        {"batch_floor": 2},
    ],
)
def test_what_is_safe_is_not_warned_of(tmp_path: Path, given: dict[str, Any]) -> None:
    assert list(unsafe_settings(load_settings(write(tmp_path, **given)))) == []


WRONG: list[tuple[str, Any]] = [
    ("rpc_url", "ftp://user:s3cret@node.example/s3cret"),
    ("rpc_url", "s3cret"),
    ("contract", "0xs3cret"),
    ("contract", "c0" * 20),
    ("contract_block", 0),
    ("contract_block", "s3cret"),
    ("ledger_id", "s3cret"),
    ("ledger_id", "0x" + "c0" * 32),
    ("ledger_id", "C0" * 32),
    ("member", 0),
    ("member", 2**32),
    ("member", 1.5),
    ("network_kind", "s3cret"),
    ("network_name", ""),
    ("network_name", "s3cret" * 20),
    ("finality_depth", 0),
    ("port", -1),
    ("port", 65536),
    ("seal_at_count", 0),
    ("seal_after_seconds", -1),
    ("batch_floor", 2**18 + 1),
    ("poll_seconds", 0),
    ("rpc_timeout_seconds", -1),
    ("open_submission", "s3cret"),
    ("submission_entries_max", 0),
    ("submission_entries_max", 100_001),
    ("queue_entries_max", 0),
    ("disk_free_mib_min", -1),
    ("client_requests_per_second", -1),
    ("client_requests_burst", 0),
    ("trusted_proxies", "s3cret"),
    ("trusted_proxies", "10.0.0.1/8"),
    ("trusted_proxies", ""),
    ("fee_cap_gwei", 0),
    ("allowed_private_endpoints", "s3cret:1"),
    ("allowed_private_endpoints", ["s3cret"]),
    ("allowed_private_endpoints", ["s3cret:0"]),
    ("allowed_private_endpoints", ["http://s3cret:1"]),
    ("allowed_private_endpoints", ["S3cret:1"]),
    ("surprise", "s3cret"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_setting_is_named_and_its_value_never_shown(
    tmp_path: Path, name: str, value: Any
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(write(tmp_path, **{name: value}))
    assert name in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"port = ", b"\xff", b"port = 1\nport = 's3cret'", b"= s3cret"]
)
def test_a_file_that_is_no_toml_is_refused_without_quoting_it(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "node.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="cannot be read") as caught:
        load_settings(path)
    assert "s3cret" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.toml"):
        load_settings(tmp_path / "absent.toml")


def test_secrets_are_not_in_the_settings_own_text(tmp_path: Path) -> None:
    given = {"rpc_url": "http://u:s3cret@x/s3cret", "anchor_keystore_password": "s3cret"}
    settings = load_settings(write(tmp_path, **given))
    assert "s3cret" not in repr(settings) + str(settings)


def test_a_file_with_every_setting_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = load_settings(write(tmp_path, **{name: value for name, (_, value) in OTHER.items()}))
    values = written.model_dump()
    password = values.pop("anchor_keystore_password")
    path = tmp_path / "again.toml"
    path.write_text(settings_file(values))
    assert load_settings(path, {"anchor_keystore_password": password}) == written


def test_what_is_not_written_is_a_comment_with_its_meaning() -> None:
    text = settings_file({})
    assert tomllib.loads(text) == {}
    named = re.findall(r"^# (\w+) = (.+)$", text, re.MULTILINE)
    assert [name for name, _ in named] == list(NodeSettings.model_fields)
    for name, field in NodeSettings.model_fields.items():
        first = " ".join((field.description or "").split())[:40].replace("``", "`")
        assert first, name
        assert f"# {first}"[:30] in text, name
    assert dict(named)["port"] == "8180"
    assert {len(line) <= 100 for line in text.splitlines()} == {True}


@pytest.mark.parametrize("text", ["é", "日本 🎓", '"\\', "\x00\x1f\x7f", "a\nb\t"])
def test_any_text_survives_the_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "node.toml"
    path.write_text(settings_file({"network_name": text}), "utf-8")
    assert read_settings(path) == {"network_name": text}


@pytest.mark.parametrize("name", ["anchor_keystore_password", "surprise"])
def test_a_secret_is_never_written(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        settings_file({name: "s3cret"})
