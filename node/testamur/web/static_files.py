"""Scripts, styles and pictures, from the package. Nothing is ever loaded from elsewhere.

Their address holds a digest of them all, so they may be kept for ever by whoever has them, and
a module that imports another one by a relative address always gets the one that it fits.
"""

from __future__ import annotations

from hashlib import sha256
from importlib.resources import files
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_FOR_EVER: Final = "public, max-age=31536000, immutable"


class StaticFiles:
    """All static files, read once; there is no path that could lead anywhere else."""

    def __init__(self) -> None:
        folder = files("testamur.web") / "static"
        self._content = {
            item.name: item.read_bytes()
            for item in folder.iterdir()
            if item.name[item.name.rfind(".") :] in _MEDIA_TYPES
        }
        digest = sha256()
        for name, data in sorted(self._content.items()):
            digest.update(sha256(name.encode()).digest() + sha256(data).digest())
        self._version = digest.hexdigest()[:16]

    @property
    def modules(self) -> tuple[str, ...]:
        """Name the scripts, so that a page can have them all fetched at once."""
        return tuple(sorted(name for name in self._content if name.endswith(".js")))

    def url(self, name: str) -> str:
        """Give the address of a file.

        Raises:
            KeyError: there is none of this name; a mistake in a template.
        """
        if name not in self._content:
            raise KeyError(name)
        return f"/static/{self._version}/{name}"

    def route(self, headers: dict[str, str]) -> Route:
        """Serve them, each with ``headers``."""

        def answer(request: Request) -> Response:
            name = request.path_params["name"]
            if request.path_params["version"] != self._version or name not in self._content:
                raise HTTPException(404)
            kind = _MEDIA_TYPES[name[name.rfind(".") :]]
            return Response(
                self._content[name],
                media_type=kind,
                headers=headers | {"Cache-Control": _FOR_EVER},
            )

        return Route("/static/{version}/{name}", answer, include_in_schema=False)
