"""A settings file with every setting and its meaning, made from the settings themselves."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from testamur.config.settings import ENVIRONMENT_PREFIX, NodeSettings

ENVIRONMENT_ONLY: Final = ("anchor_keystore_password",)
"""Secrets that protect what lies beside the file, and so never stand in it."""

_WIDTH: Final = 96
_HEAD: Final = f"""\
# Settings of a node, for `testamur serve --config FILE`. An environment variable with a setting's
# name in capitals, such as {ENVIRONMENT_PREFIX}PORT, overrides what stands here. Paths are
# relative to this file. A line that begins with "# name =" shows the default, which holds.
"""


def settings_file(values: Mapping[str, object]) -> str:
    """Give a TOML file in which ``values`` are set and every other setting is a comment.

    ``values`` are checked settings; secrets of :data:`ENVIRONMENT_ONLY` are a programming mistake.
    """
    if wrong := set(values) - (set(NodeSettings.model_fields) - set(ENVIRONMENT_ONLY)):
        raise ValueError(f"these do not belong into the file: {sorted(wrong)}")
    return "\n".join([_HEAD, *(_setting(name, values) for name in NodeSettings.model_fields)])


def _setting(name: str, values: Mapping[str, object]) -> str:
    field = NodeSettings.model_fields[name]
    meaning = " ".join((field.description or "").replace("``", "`").split())
    if name in ENVIRONMENT_ONLY:
        meaning += f" Not in this file: set {ENVIRONMENT_PREFIX}{name.upper()}."
    lines = textwrap.wrap(
        meaning,
        _WIDTH,
        initial_indent="# ",
        subsequent_indent="# ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    if name in values:
        lines.append(f"{name} = {_toml(values[name])}")
    elif field.is_required():
        lines.append(f"# {name} = (no default)")
    elif field.default is None:
        lines.append(f"# {name} = (not set)")
    else:
        lines.append(f"# {name} = {_toml(field.default)}")
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, str | Path):
        # A basic string of TOML is one of JSON, except for this one character.
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    raise TypeError(f"no setting has values like {type(value).__name__}")
