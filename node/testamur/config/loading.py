"""Where settings come from: a TOML file, the environment over it, and options over both."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, get_args

from pydantic import ValidationError
from pydantic_settings import EnvSettingsSource, SettingsError

from testamur.config.settings import ENVIRONMENT_PREFIX, NodeSettings
from testamur.errors import ConfigurationError

CHAIN_SETTINGS: Final = (
    *("rpc_url", "contract", "contract_block", "ledger_id", "member"),
    *("anchor_key_file", "anchor_keystore", "anchor_keystore_password"),
    *("network_name", "network_kind", "finality_depth"),
)
"""What says which chain and ledger a node is of, and who it is there; for a node on the embedded
chain all of it is settled."""

TRIAL_DEFAULTS: Final[Mapping[str, object]] = {"seal_after_seconds": 1, "poll_seconds": 0.2}
"""Where a node on the embedded chain differs from one that pays for gas and for its endpoint, as
long as nothing else is given."""

_NAMING: Final = ("rpc_url", "contract")
"""Those without which there is no chain to speak of."""


def load_settings(file: Path | None, options: Mapping[str, object] | None = None) -> NodeSettings:
    """Read the settings of a node whose chain is named.

    Raises:
        ConfigurationError: as :func:`read_settings` and :func:`build_settings`.
    """
    return build_settings(read_settings(file, options))


def read_settings(
    file: Path | None, options: Mapping[str, object] | None = None
) -> dict[str, object]:
    """Collect what is given, not yet checked; relative paths in the file are relative to it.

    An environment variable overrides the file, and ``options`` of a command line both.

    Raises:
        ConfigurationError: the file or a variable cannot be read; no message shows a value.
    """
    try:
        environment = EnvSettingsSource(NodeSettings)()
    except SettingsError as exc:
        raise ConfigurationError(f"a {ENVIRONMENT_PREFIX}* variable cannot be read: {exc}") from exc
    return _from_file(file) | environment | dict(options or {})


def names_a_chain(given: Mapping[str, object]) -> bool:
    """Whether a chain is configured; where none is, a node runs on the embedded chain.

    Raises:
        ConfigurationError: half of it is: a node whose operator forgot one setting must not run
            on a chain of its own instead.
    """
    found = [name for name in CHAIN_SETTINGS if name in given]
    missing = [name for name in _NAMING if name not in given]
    if found and missing:
        raise ConfigurationError(
            f"{_listed(found)} given without {_listed(missing)}: set that too (in the file, or as "
            f"{ENVIRONMENT_PREFIX}{missing[0].upper()}), or none of them for a trial on the "
            "embedded chain"
        )
    return not missing


def build_settings(given: Mapping[str, object]) -> NodeSettings:
    """Check what was given and fill in the defaults.

    Raises:
        ConfigurationError: a setting is missing or wrong; the message names it and never shows a
            value.
    """
    try:
        return NodeSettings(**given)  # type: ignore[arg-type] # pydantic checks them
    except ValidationError as exc:
        wrong = "; ".join(
            f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in exc.errors()
        )
        raise ConfigurationError(f"the settings do not fit: {wrong}") from exc


def check_setting(name: str, value: object) -> None:
    """Check one setting alone, as it will be checked with the others.

    Raises:
        ConfigurationError: it does not fit; the message never shows the value.
    """
    try:
        NodeSettings(**{name: value})  # type: ignore[arg-type] # pydantic checks it
    except ValidationError as exc:
        for error in exc.errors():
            if error["loc"][:1] == (name,):
                raise ConfigurationError(f"{name}: {error['msg']}") from exc


def _from_file(file: Path | None) -> dict[str, object]:
    if file is None:
        return {}
    try:
        values: dict[str, object] = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise ConfigurationError(f"the configuration {file} cannot be read: {exc}") from exc
    for name, field in NodeSettings.model_fields.items():
        value = values.get(name)
        if isinstance(value, str) and Path in {field.annotation, *get_args(field.annotation)}:
            values[name] = str(file.parent / Path(value).expanduser())
    return values


def _listed(names: list[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
