"""Tests that need something which not every machine has."""

from __future__ import annotations

import os

import pytest


def require(condition: object, what: str) -> None:
    """Go on only if ``condition`` holds; otherwise skip, and say that ``what`` is absent.

    In CI, where everything is meant to be there, its absence fails the test instead.
    """
    if condition:
        return
    if "CI" in os.environ:
        pytest.fail(f"NOT TESTED, and CI must have it: {what}", pytrace=False)
    pytest.skip(f"NOT TESTED, because it is absent: {what}")
