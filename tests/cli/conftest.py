"""The fixture with which commands are run."""

from __future__ import annotations

import pytest

from tests.cli.running import Run, runner


@pytest.fixture
def testamur(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run ``testamur`` with the arguments given."""
    return runner(capsys)
