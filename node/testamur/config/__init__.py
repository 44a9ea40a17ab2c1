"""Settings: what there is, where they are read from, and which of them are unsafe."""

from __future__ import annotations

from testamur.config.loading import (
    TRIAL_DEFAULTS,
    build_settings,
    check_setting,
    load_settings,
    names_a_chain,
    read_settings,
)
from testamur.config.settings import ENVIRONMENT_PREFIX, NodeSettings
from testamur.config.template import settings_file
from testamur.config.unsafe import unsafe_settings

__all__ = [
    "ENVIRONMENT_PREFIX",
    "TRIAL_DEFAULTS",
    "NodeSettings",
    "build_settings",
    "check_setting",
    "load_settings",
    "names_a_chain",
    "read_settings",
    "settings_file",
    "unsafe_settings",
]
