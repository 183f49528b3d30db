"""Keeps threads of a WSGI server free: each long body holds one for as long as it takes to arrive.

The compose file's proxy sends long bodies to the ASGI process, where they hold none. This is for installations whose
proxy does not, and for whoever finds another way here.
"""

from collections.abc import Callable, Iterable
from typing import Any

from config.body_limit import BUSY, SAMPLES, UPLOADS
from config.body_places import Places

Environment = dict[str, Any]
Application = Callable[[Environment, Callable[..., Any]], Iterable[bytes]]


class UploadThreads:
    """A WSGI application of which `most` threads at a time wait for bodies of more than `beyond` bytes; 503 then."""

    def __init__(self, application: Application, *, most: int, beyond: int) -> None:
        self._application = application
        self._beyond = beyond
        self._places = Places(most, most)

    def __call__(self, environ: Environment, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve one request."""
        if not self._is_long(environ):
            return self._application(environ, start_response)
        if not self._places.take(""):
            start_response(f"{BUSY.status} {BUSY.title}", BUSY.headers)
            return [BUSY.body()]
        try:
            return self._application(environ, start_response)
        finally:
            self._places.give_back("")

    def _is_long(self, environ: Environment) -> bool:
        length = environ.get("CONTENT_LENGTH") or "0"
        path = environ.get("PATH_INFO", "")
        return length.isdigit() and int(length) > self._beyond and bool(UPLOADS.match(path) or SAMPLES.match(path))
