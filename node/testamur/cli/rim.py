"""What commands need from the world, passed in so that a test can replay any of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from testamur.cli.disk import Disk


@dataclass(frozen=True, slots=True)
class Rim:
    """Sources of everything that is not computed; built once, in :mod:`testamur.bootstrap`."""

    random_bytes: Callable[[int], bytes]
    """That many bytes from the operating system's generator. Whoever can predict them can
    recognise a person's entry from a guessed credential."""

    disk: Disk = field(default_factory=Disk)
    """Where sidecars are written."""
