"""Scripts and styles of the pages: files of the package, read once."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, Mapping

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Request, Response

_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def read_all() -> Mapping[str, bytes]:
    """Every file by its name."""
    folder = Path(__file__).parent / "static"
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix in _TYPES}


class StaticFiles:
    """Names are looked up, never made into a path."""

    def __init__(self) -> None:
        self._files: Dict[str, bytes] = dict(read_all())

    def __call__(self, request: Request, name: str) -> Response:
        data = self._files.get(name)
        if data is None:
            raise NotFound
        found = Response(data, mimetype=_TYPES["." + name.rpartition(".")[2]])
        found.headers["Cache-Control"] = "no-cache"
        found.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        found.add_etag()
        return found.make_conditional(request)
