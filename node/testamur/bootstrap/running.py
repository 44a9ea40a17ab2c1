"""Running a node: listen, build, announce, serve, and end in order."""

# Imports stand in the functions: `testamur digest` must not pay for a database and a chain.
# ruff: noqa: PLC0415

from __future__ import annotations

import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from testamur.bootstrap.building import Node, open_node
from testamur.errors import ConfigurationError, StorageError
from testamur.ledger.trust import NetworkKind

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger as BoundLogger
    from uvicorn import Server

    from testamur.api.rate_limit import ClientLimits
    from testamur.config import NodeSettings


def serve(config: Path | None, as_json: bool) -> int:  # noqa: FBT001 - one caller, by position
    """Run a node until SIGINT or SIGTERM; 0 then, 1 when a stage stopped it."""
    import time

    from testamur import __version__
    from testamur.api.app import create_app
    from testamur.api.server import make_server
    from testamur.config import load_settings, unsafe_settings
    from testamur.logs import configure_logs
    from testamur.service.loops import Loops

    server: Server | None = None

    def stop(*_signal: object) -> None:
        if server is None:  # nothing is served yet, so nobody waits for an answer
            raise SystemExit(0)
        server.should_exit = True

    # Uvicorn puts its own handlers over these, and at its end raises the signal once more for
    # them: without them the process would end there, before its loops and its store.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    settings = load_settings(config)
    log = configure_logs(sys.stderr, as_json=as_json)
    listening = _listen(settings.host, settings.port)
    with open_node(settings, clock=time.time) as node:
        node.service.access.started(__version__, [one.name for one in unsafe_settings(settings)])
        server = make_server(create_app(node.service, client_limits=_client_limits(settings)))
        loops = Loops(node.stages, on_fatal=stop)
        loops.start()
        _announce(settings, node, listening.getsockname()[1], log)
        try:
            server.run(sockets=[listening])
        finally:
            loops.stop()
            _record_end(node, loops.failed, log)
    return 0 if loops.failed is None else 1


def _client_limits(settings: NodeSettings) -> ClientLimits:
    from testamur.api.rate_limit import ClientLimits

    return ClientLimits(
        per_second=settings.client_requests_per_second,
        burst=settings.client_requests_burst,
        trusted=settings.trusted_networks,
    )


def _record_end(node: Node, failed: str | None, log: BoundLogger) -> None:
    """Record the end; a store that fails now has failed before, and must not hide why."""
    try:
        # The stage alone: what it failed with may hold anything.
        node.service.access.stopped(failed and failed.partition(":")[0])
    except StorageError as exc:
        log.warning("the operator log lacks this stop", code=exc.code, reason=str(exc))


def _listen(host: str, port: int) -> socket.socket:
    """Listen before anything is announced, so that whoever reads the line can connect."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(1024)
    except OSError as exc:
        listening.close()
        raise ConfigurationError(f"cannot listen on {host} port {port}: {exc.strerror}") from exc
    return listening


def _announce(settings: NodeSettings, node: Node, port: int, log: BoundLogger) -> None:
    from testamur.config import unsafe_settings

    identity = node.service.about.identity
    log.info(
        "node started",
        url=f"http://{settings.host}:{port}",
        member=identity.member,
        ledger=identity.ledger_id.hex(),
        network=settings.network_name,
        kind=settings.network_kind.value,
        anchors=len(node.stages) > 1,
    )
    if settings.network_kind is not NetworkKind.MAIN:
        log.warning("this network is for trials: what is anchored here proves nothing to others")
    for unsafe in unsafe_settings(settings):
        log.warning("unsafe setting", setting=unsafe.name, consequence=unsafe.consequence)
