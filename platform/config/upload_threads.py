"""Keeps threads of a WSGI server free: each long body holds one for as long as it takes to arrive.

The compose file's proxy sends long bodies to the ASGI process, where they hold none. This is for installations whose
proxy does not, and for whoever finds another way here.
"""

from collections.abc import Callable, Iterable
from typing import Any

from config.body_limit import SAMPLES, UPLOADS
from config.body_places import NoPlace, Places

Environment = dict[str, Any]
Application = Callable[[Environment, Callable[..., Any]], Iterable[bytes]]


class UploadThreads:
    """A WSGI application of which `most` threads at a time wait for bodies of more than `beyond` bytes, a quarter of
    them, one at least, for those of one tenant.

    A thread waits from when the application reads the body, which it does for whom it admitted; reading raises
    `NoPlace` where there is none, which the application answers with 503.
    """

    def __init__(self, application: Application, *, most: int, beyond: int) -> None:
        self._application = application
        self._beyond = beyond
        self._places = Places(most)

    def __call__(self, environ: Environment, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve one request."""
        path, length = environ.get("PATH_INFO", ""), environ.get("CONTENT_LENGTH") or "0"
        found = UPLOADS.match(path) or SAMPLES.match(path)
        if found is None or not length.isdigit() or int(length) <= self._beyond:
            return self._application(environ, start_response)
        body = _Body(environ["wsgi.input"], int(length), tenant=found[1], places=self._places)

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, [*headers, *body.farewell], *rest)

        try:
            return self._application({**environ, "wsgi.input": body}, start)
        finally:
            body.leave()


class _Body:
    """A body that takes a place with the first byte asked of it. Whoever is refused before needs none."""

    def __init__(self, given: Any, length: int, *, tenant: str, places: Places) -> None:
        self._given = given
        self._left = length
        self._tenant = tenant
        self._places = places
        self._holds = False

    def read(self, size: int = -1) -> bytes:
        """Return at most so many bytes; raise `NoPlace` where nobody may wait for them."""
        return self._seen(self._in_place().read(size))

    def readline(self, size: int = -1) -> bytes:
        """Return a line, in the same manner."""
        return self._seen(self._in_place().readline(size))

    @property
    def farewell(self) -> list[tuple[str, str]]:
        """The headers of an answer that does not wait for the rest."""
        return [("Connection", "close")] if self._left > 0 else []

    def leave(self) -> None:
        """Give the place back, if one was taken."""
        if self._holds:
            self._holds = False
            self._places.give_back(self._tenant)

    def _in_place(self) -> Any:
        if not self._holds and not self._places.take(self._tenant):
            raise NoPlace
        self._holds = True
        return self._given

    def _seen(self, piece: bytes) -> bytes:
        self._left -= len(piece)
        return piece
