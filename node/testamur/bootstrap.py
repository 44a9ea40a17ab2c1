"""The one place that builds real objects and connects them."""

from __future__ import annotations

import secrets
import sys

from testamur.cli.app import run
from testamur.cli.rim import Rim


def main() -> None:
    """Run the command ``testamur`` and exit with its code."""
    sys.exit(run(sys.argv[1:], Rim(random_bytes=secrets.token_bytes)))
