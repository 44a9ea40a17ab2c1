"""Settings: what there is, where they are read from, and which of them are unsafe."""

from __future__ import annotations

from testamur.config.loading import build_settings, load_settings, names_a_chain, read_settings
from testamur.config.settings import ENVIRONMENT_PREFIX, NodeSettings
from testamur.config.unsafe import unsafe_settings

__all__ = [
    "ENVIRONMENT_PREFIX",
    "NodeSettings",
    "build_settings",
    "load_settings",
    "names_a_chain",
    "read_settings",
    "unsafe_settings",
]
