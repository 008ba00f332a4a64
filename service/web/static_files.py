"""Static files at `/static/<hash>/<name>`: never stale, so kept for ever."""

import hashlib
from pathlib import Path
from typing import NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

FOLDER = Path(__file__).parent / "explorer" / "static"

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class File(NamedTuple):
    """A file as it is sent."""

    content: bytes
    media_type: str


def _read(folder: Path) -> dict[str, File]:
    paths = sorted(path for path in folder.iterdir() if path.suffix in _TYPES)
    return {path.name: File(path.read_bytes(), _TYPES[path.suffix]) for path in paths}


FILES = _read(FOLDER)


def _digest(files: dict[str, File]) -> str:
    """One for all: a module imports another by a relative path, so they change together."""
    digest = hashlib.sha256()
    for name, file in files.items():
        digest.update(f"{name}\0{len(file.content)}\0".encode() + file.content)
    return digest.hexdigest()[:16]


DIGEST = _digest(FILES)


def static(name: str) -> str:
    """The address of a file. Raises KeyError if there is none."""
    if name not in FILES:
        raise KeyError(name)
    return f"/static/{DIGEST}/{name}"


async def _answer(request: Request) -> Response:
    file = FILES.get(request.path_params["name"])
    if file is None:
        raise HTTPException(404)
    # A page of another release may ask this one for its file: it gets ours, and does not keep it.
    ours = request.path_params["digest"] == DIGEST
    headers = {
        "cache-control": "public, max-age=31536000, immutable" if ours else "no-store",
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin",
    }
    return Response(file.content, media_type=file.media_type, headers=headers)


async def _icon(_request: Request) -> Response:
    """Where browsers look beside what is no page of ours, such as JSON."""
    return RedirectResponse(static("icon.svg"), headers={"cache-control": "public, max-age=3600"})


routes = [Route("/static/{digest}/{name}", _answer), Route("/favicon.ico", _icon)]
