"""Logs: one line an event, a constant message with fields; for people on a terminal, else JSON."""

from __future__ import annotations

import logging
from typing import TextIO

import structlog
from structlog.processors import ExceptionRenderer
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import FilteringBoundLogger, Processor


def configure_logs(stream: TextIO, *, as_json: bool = False) -> FilteringBoundLogger:
    """Send all logs to ``stream``; those of the libraries from warnings up. Call it once.

    With ``as_json`` they are JSON on a terminal, too.
    """
    on_terminal = stream.isatty() and not as_json
    shared: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rendered: list[Processor]
    # Both ways of showing a stack trace would by default show the variables in it, too: entries,
    # digests and keys among them.
    if on_terminal:
        plain = structlog.dev.plain_traceback
        rendered = [structlog.dev.ConsoleRenderer(exception_formatter=plain)]
    else:
        traces = ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
        rendered = [traces, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[*shared, *rendered],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(stream),
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendered],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    # What it warns of holds bytes of a request; the answer says what was wrong with it.
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
    logger: FilteringBoundLogger = structlog.get_logger("testamur")
    return logger
