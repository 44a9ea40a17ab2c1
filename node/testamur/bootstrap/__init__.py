"""The one place that builds real objects and connects them."""

from __future__ import annotations

import secrets
import sys

from testamur.bootstrap.building import Node, open_node
from testamur.bootstrap.running import serve
from testamur.cli import streams
from testamur.cli.app import run
from testamur.cli.rim import Rim

__all__ = ["Node", "main", "open_node"]


def main() -> None:
    """Run the command ``testamur`` and exit with its code."""
    streams.reopen_closed()
    sys.exit(run(sys.argv[1:], Rim(random_bytes=secrets.token_bytes, serve=serve)))
