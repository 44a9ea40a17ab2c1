"""The application's description of itself (OpenAPI), without a node behind it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from testamur.api.app import create_app
from testamur.api.requests import ENTRIES_MAX
from testamur.service.intake import IntakeLimits
from testamur.service.node import NodeService


def description() -> dict[str, Any]:
    """Describe all routes, with the limits that a node has unless its settings say otherwise."""
    limits = IntakeLimits(
        submission_entries_max=ENTRIES_MAX, queue_entries_max=1, disk_free_bytes_min=1, open=False
    )
    # Nothing is asked of the service while the routes are described, but for its limits.
    service = SimpleNamespace(intake=SimpleNamespace(limits=limits))
    return create_app(cast("NodeService", service)).openapi()
