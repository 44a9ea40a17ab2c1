"""Running commands in this process: arguments in, code and output out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from testamur.cli.app import run
from testamur.cli.disk import Disk
from testamur.cli.rim import Rim


class Counter:
    """Random bytes that a test can predict: 32-byte numbers that count up."""

    def __init__(self) -> None:
        self.drawn = 0

    def __call__(self, length: int) -> bytes:
        self.drawn += 1
        return self.drawn.to_bytes(length, "big")


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended."""

    code: int
    """Exit code."""
    out: str
    """Standard output."""
    err: str
    """Standard error."""

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Standard output of a run with ``--json``, parsed."""
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Result]


def runner(capsys: pytest.CaptureFixture[str]) -> Run:
    """Build what runs a command; ``disk``, ``random_bytes`` and ``sleep`` may be given."""

    def execute(
        *arguments: object,
        disk: Disk | None = None,
        random_bytes: Callable[[int], bytes] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> Result:
        capsys.readouterr()
        rim = Rim(random_bytes=random_bytes or Counter(), disk=disk or Disk(), sleep=sleep)
        code = run([str(argument) for argument in arguments], rim)
        out, err = capsys.readouterr()
        return Result(code, out, err)

    return execute
