"""Running a node: listen, build, announce, serve, and end in order."""

# Imports stand in the functions: `testamur digest` must not pay for a database and a chain.
# ruff: noqa: PLC0415

from __future__ import annotations

import os
import secrets
import shlex
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from testamur.bootstrap.building import Node, open_node
from testamur.bootstrap.trial import open_trial, trial_settings
from testamur.errors import ConfigurationError, StorageError
from testamur.ledger.trust import NetworkKind

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger as BoundLogger
    from uvicorn import Server

    from testamur.api.rate_limit import ClientLimits
    from testamur.cli.rim import ServeOptions
    from testamur.config import NodeSettings
    from testamur.service.loops import Stage


@dataclass(frozen=True, slots=True)
class _Opened:
    """A node that is about to run."""

    node: Node
    settings: NodeSettings
    listening: socket.socket
    stages: tuple[Stage, ...]
    """The node's, and what watches the embedded chain in a trial."""
    trial: bool
    """Whether it runs on the embedded chain."""
    token: Path | None = None
    """Where the operator's token is, in a trial that still has it."""


def serve(options: ServeOptions) -> int:
    """Run a node until SIGINT or SIGTERM; 0 then, 1 when a stage stopped it."""
    import time

    from testamur import __version__
    from testamur.api.app import create_app
    from testamur.api.server import make_server
    from testamur.config import unsafe_settings
    from testamur.logs import configure_logs
    from testamur.service.loops import Loops
    from testamur.web.pages import Pages

    server: Server | None = None

    def stop(*_signal: object) -> None:
        if server is None:  # nothing is served yet, so nobody waits for an answer
            raise SystemExit(0)
        server.should_exit = True

    # Uvicorn puts its own handlers over these, and at its end raises the signal once more for
    # them: without them the process would end there, before its loops and its store.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    log = configure_logs(sys.stderr, as_json=options.as_json)
    with _opened(options, clock=time.time) as opened:
        access, settings = opened.node.service.access, opened.settings
        access.started(__version__, [one.name for one in unsafe_settings(settings)])
        app = create_app(
            opened.node.service,
            client_limits=_client_limits(settings),
            pages=Pages(opened.node.service, clock=time.time),
        )
        server = make_server(app)
        loops = Loops(opened.stages, on_fatal=stop)
        loops.start()
        _announce(opened, log)
        try:
            server.run(sockets=[opened.listening])
        finally:
            loops.stop()
            _record_end(opened.node, loops.failed, log)
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


@contextmanager
def _opened(options: ServeOptions, *, clock: Callable[[], float]) -> Iterator[_Opened]:
    """Build the node that the settings name, or one for a trial where they name no chain."""
    from testamur.config import build_settings, names_a_chain, read_settings

    given = read_settings(options.config, options.settings)
    if names_a_chain(given):
        settings = build_settings(given)
        with (
            _listen(settings.host, settings.port) as listening,
            open_node(settings, clock=clock) as node,
        ):
            yield _Opened(node, settings, listening, node.stages, trial=False)
        return
    from testamur.bootstrap.operator_token import operator_token
    from testamur.storage.filesystem import LocalFileSystem

    settings = trial_settings(given, environment=os.environ, home=Path.home())
    with (
        # First, since it has the lock: whoever starts a node twice hears of that, and not of a
        # port that the first one has.
        open_trial(settings, clock=clock, random_bytes=secrets.token_bytes) as trial,
        _listen(settings.host, settings.port) as listening,
        open_node(trial.settings, clock=clock, key=trial.key) as node,
    ):
        token = operator_token(node.service.access, settings.data_dir, LocalFileSystem())
        stages = (*node.stages, trial.watch)
        yield _Opened(node, trial.settings, listening, stages, trial=True, token=token)


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
        raise ConfigurationError(
            f"cannot listen on {host} port {port}: {exc.strerror}; choose another one with --port "
            "(0 takes a free one)"
        ) from exc
    return listening


def _announce(opened: _Opened, log: BoundLogger) -> None:
    from testamur.config import unsafe_settings

    settings, identity = opened.settings, opened.node.service.about.identity
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    log.info(
        "node started",
        url=f"http://{host}:{opened.listening.getsockname()[1]}",
        member=identity.member,
        ledger=identity.ledger_id.hex(),
        network=settings.network_name,
        kind=settings.network_kind.value,
        anchors=any(stage.name == "anchoring" for stage in opened.node.stages),
    )
    if opened.trial:
        log.warning(
            "this is a trial: the keys of its chain are public, and what is anchored there proves "
            "nothing to others",
            chain=settings.rpc_url.get_secret_value(),
            contract=settings.contract,
            data_dir=str(settings.data_dir),
        )
        if opened.token is not None:
            log.info(
                "whoever submits needs a token",
                file=str(opened.token),
                use=f"export TESTAMUR_TOKEN=$(cat {shlex.quote(str(opened.token))})",
            )
    elif settings.network_kind is not NetworkKind.MAIN:
        log.warning("this network is for trials: what is anchored here proves nothing to others")
    for unsafe in unsafe_settings(settings):
        log.warning("unsafe setting", setting=unsafe.name, consequence=unsafe.consequence)
