"""What an auditor reads: batches, records, and proofs between any two sizes of the ledger."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import FastAPI, Path, Request, Response

from testamur.api import ledger_schemas as schemas
from testamur.api.immutable import immutable
from testamur.api.queries import LIMIT, Number, documented, parse_query, parse_root
from testamur.api.routing import PROBLEMS, Service, documented_problem

RootPath = Annotated[str, Path(description="64 lower-case hex digits.", max_length=256)]

_AFTER: Final = Number("after", "Number of the last batch that you have.", default=0)
_START: Final = Number("start", "Index of the first record.", default=0)
_INDEX: Final = Number("index", "The record's index.")
_SIZE: Final = Number("size", "Size of the ledger, up to that of the newest head.", 1)
_OLD_SIZE: Final = Number("old_size", "The smaller size.", 1)
_UNKNOWN: Final[dict[int | str, dict[str, Any]]] = {
    404: documented_problem("This node has no batch with that root.")
}
_OCTETS: Final = {
    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
}
_ENTRIES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "32 bytes an entry, ascending.", "content": _OCTETS},
    206: {"description": "The range of bytes that was asked for.", "content": _OCTETS},
    304: {"description": "What If-None-Match names is the content."},
    416: documented_problem("The range begins beyond the end."),
}


def add_batches(app: FastAPI) -> None:
    """Add the routes of batches."""

    @app.get(
        "/v1/batches",
        response_model=schemas.BatchesAnswer,
        responses=PROBLEMS,
        openapi_extra=documented(_AFTER, LIMIT),
        summary="The batches of this node's member",
    )
    def batches(request: Request, response: Response, service: Service) -> schemas.BatchesAnswer:
        """List batches that were sealed here, in that order; a batch keeps its place for ever."""
        after, limit = parse_query(request.query_params, _AFTER, LIMIT)
        page = service.reading.batches(after=after, limit=limit)
        following = _next(response, f"/v1/batches?after={page.after}&limit={limit}", page.after)
        return schemas.BatchesAnswer(
            batches=[schemas.BatchAnswer.of(batch) for batch in page.batches], next=following
        )

    @app.get(
        "/v1/batches/{root}",
        response_model=schemas.BatchAnswer,
        responses=PROBLEMS | _UNKNOWN,
        summary="One batch",
    )
    def batch(root: RootPath, service: Service) -> schemas.BatchAnswer:
        """Give a batch by its root: one of this node's member, or a replica of another's."""
        return schemas.BatchAnswer.of(service.reading.batch(parse_root(root)))

    @app.get(
        "/v1/batches/{root}/entries",
        response_class=Response,
        responses=PROBLEMS | _UNKNOWN | _ENTRIES,
        summary="The entries of a batch",
    )
    def entries(root: RootPath, request: Request, service: Service) -> Response:
        """Give the batch file, checked against its root, whole or a range of its bytes."""
        wanted = parse_root(root)
        service.reading.batch(wanted)  # an unknown one is unknown whatever the conditions say
        return immutable(lambda: service.reading.entries(wanted), wanted.hex(), request.headers)


def add_records(app: FastAPI) -> None:
    """Add the routes of records and of proofs about them."""

    @app.get(
        "/v1/ledger/records",
        response_model=schemas.RecordsAnswer,
        responses=PROBLEMS,
        openapi_extra=documented(_START, LIMIT),
        summary="The records of the ledger",
    )
    def records(request: Request, response: Response, service: Service) -> schemas.RecordsAnswer:
        """List records from an index on, those that are not final yet included."""
        start, limit = parse_query(request.query_params, _START, LIMIT)
        page = service.reading.records(start=start, limit=limit)
        path = f"/v1/ledger/records?start={page.start}&limit={limit}"
        return schemas.RecordsAnswer(
            records=[schemas.RecordAnswer.of(record) for record in page.records],
            size=page.size,
            next=_next(response, path, page.start),
        )

    @app.get(
        "/v1/ledger/inclusion",
        response_model=schemas.InclusionAnswer,
        responses=PROBLEMS,
        openapi_extra=documented(_INDEX, _SIZE),
        summary="Prove a record in the ledger",
    )
    def inclusion(request: Request, service: Service) -> schemas.InclusionAnswer:
        """Prove a record in the ledger as it was at ``size`` records."""
        index, size = parse_query(request.query_params, _INDEX, _SIZE)
        found = service.reading.inclusion(index=index, size=size)
        return schemas.InclusionAnswer.of(found, index=index, size=size)

    @app.get(
        "/v1/ledger/consistency",
        response_model=schemas.ConsistencyAnswer,
        responses=PROBLEMS,
        openapi_extra=documented(_OLD_SIZE, _SIZE),
        summary="Prove that the ledger only grew",
    )
    def consistency(request: Request, service: Service) -> schemas.ConsistencyAnswer:
        """Prove that the ledger at ``old_size`` records is the beginning of it at ``size``."""
        old_size, size = parse_query(request.query_params, _OLD_SIZE, _SIZE)
        found = service.reading.consistency(old_size=old_size, size=size)
        return schemas.ConsistencyAnswer.of(found, old_size=old_size, size=size)


def _next(response: Response, path: str, cursor: int | None) -> str | None:
    """Name the next page in the Link header (RFC 8288), too; at the end there is none."""
    if cursor is None:
        return None
    response.headers["Link"] = f'<{path}>; rel="next"'
    return path
