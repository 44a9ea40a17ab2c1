"""What commands need from the world, passed in so that a test can replay any of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import typer

from testamur.cli.disk import Disk


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What ``testamur serve`` was told on the command line."""

    config: Path | None
    """Settings file; None: the environment alone, or a trial."""
    settings: Mapping[str, object]
    """Settings that were given as options; they override file and environment."""
    as_json: bool
    """Log as JSON on a terminal, too."""


@dataclass(frozen=True, slots=True)
class Rim:
    """Sources of everything that is not computed; built once, in :mod:`testamur.bootstrap`."""

    random_bytes: Callable[[int], bytes]
    """That many bytes from the operating system's generator. Whoever can predict them can
    recognise a person's entry from a guessed credential."""

    clock: Callable[[], float] = time.time
    """Unix seconds; only for warnings that something is old."""

    disk: Disk = field(default_factory=Disk)
    """Where sidecars are written."""

    serve: Callable[[ServeOptions], int] | None = None
    """Builds a node and runs it until it is told to stop; gives the exit code. None where no node
    can be built, as in tests of the other commands."""


def rim_of(context: typer.Context) -> Rim:
    """Give what the bootstrap handed to the command."""
    rim = context.find_object(Rim)
    if rim is None:  # a programming mistake: the command was run without the bootstrap
        raise TypeError("the context object is not a Rim")
    return rim
