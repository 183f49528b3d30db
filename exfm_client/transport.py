"""Requests that survive a restart of the platform and its rate limit, without doing anything twice.

Reads are repeated freely. A write is repeated only where that is harmless: it carries an `Idempotency-Key`, is a PUT or
DELETE, or nobody can have received it.
"""

import email.utils
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from exfm_client import errors

PATIENCE_SECONDS = 60.0
"""How long a request is repeated while the platform is away or asks to wait."""

AGENT = "exfm-client/1"
LONGEST_PAUSE = 30.0
REPEATED = frozenset({429, 502, 503, 504})
SAFE = frozenset({"GET", "HEAD", "PUT", "DELETE"})

Body = Callable[[], Iterable[bytes]]


@dataclass(frozen=True)
class Answer:
    """A decoded body with the headers that callers need."""

    status: int
    data: Any
    etag: str | None
    replayed: bool


class Transport:
    """One caller of one platform; safe to share between threads."""

    def __init__(
        self, url: str, token: str, *, patience: float = PATIENCE_SECONDS, http: httpx.Client | None = None
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise errors.Unusable(f"{url!r} is no address of a platform.", "Give it as https://exfm.example.com.")
        self.url = url.rstrip("/")
        self.patience = patience
        self._http = http or httpx.Client(timeout=httpx.Timeout(60, connect=5), follow_redirects=False)
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            "User-Agent": "exfm-client/1",
        }

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        body: Body | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request and return the answer; raise `ApiProblem` for a refusal, `Unreachable` where nobody answers.

        `body` is called for every attempt, so that a stream begins anew. A POST that creates gets a key of its own
        unless `headers` bring one.
        """
        sent = {**self._headers, **(headers or {})}
        if method == "POST" and (json is not None or body is not None):
            sent.setdefault("Idempotency-Key", uuid.uuid4().hex)
        harmless = method in SAFE or "Idempotency-Key" in sent
        until, pause = time.monotonic() + self.patience, 0.25
        while True:
            content = body() if body is not None else None
            try:
                answer = self._http.request(
                    method, self.url + path, params=_given(params), json=json, content=content, headers=sent
                )
            except httpx.TransportError as error:
                unheard = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
                if not (harmless or unheard) or time.monotonic() + pause > until:
                    raise unreachable(self.url, error) from error
            else:
                if answer.is_success:
                    return _decoded(answer)
                refusal = refused(answer)
                wait = max(pause, min(refusal.retry_after or 0.0, LONGEST_PAUSE))
                # A limit is told before anything is done, so that any request may be repeated after it.
                again = answer.status_code in REPEATED and (harmless or answer.status_code == 429)
                again = again or (harmless and refusal.code == "idempotency_key_in_use")
                if not again or time.monotonic() + wait > until:
                    raise refusal
                pause = wait
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def pages(self, path: str, params: Mapping[str, Any] | None = None) -> Iterator[Any]:
        """Yield the rows of every page of a list; pages are fetched as they are needed."""
        answer = self.call("GET", path, params=params).data
        while True:
            yield from answer["results"]
            if not answer.get("next"):
                return
            answer = self.call("GET", str(answer["next"])).data

    @contextmanager
    def stream(self, path: str, params: Mapping[str, Any], headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """Open an event stream; the caller reads its lines. No time-out while the stream keeps sending keep-alives."""
        sent = {**self._headers, "Accept": "text/event-stream", **headers}
        patient = httpx.Timeout(45, connect=5)
        with self._http.stream("GET", self.url + path, params=_given(params), headers=sent, timeout=patient) as answer:
            if not answer.is_success:
                answer.read()
                raise refused(answer)
            yield answer

    @contextmanager
    def download(self, path: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """Open a file as it is kept; the caller reads it. Neither repeated nor decoded."""
        sent = {**self._headers, "Accept": "*/*", "Accept-Encoding": "identity", **headers}
        with self._http.stream("GET", self.url + path, headers=sent) as answer:
            if not answer.is_success:
                answer.read()
                raise refused(answer)
            yield answer


def refused(answer: httpx.Response) -> errors.ApiProblem:
    """Return the error that an answer describes."""
    try:
        body = answer.json()
    except ValueError:
        body = {}
    return errors.problem(answer.status_code, body if isinstance(body, dict) else {}, _retry_after(answer))


def unreachable(url: str, error: httpx.TransportError) -> errors.Unreachable:
    """Say that nobody answered."""
    return errors.Unreachable(
        f"The platform at {url} does not answer ({error or type(error).__name__}).",
        "Check the address and that the platform runs.",
    )


def _given(params: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Leave out what was not given; httpx would take the query of a `next` address away for an empty one."""
    found = {name: value for name, value in (params or {}).items() if value is not None}
    return found or None


def _decoded(answer: httpx.Response) -> Answer:
    try:
        data = answer.json() if answer.content else None
    except ValueError as error:
        raise errors.Unreachable(
            f"{answer.url.host} answered something that is not JSON.", "Check that the address is a platform's."
        ) from error
    replayed = answer.headers.get("Idempotency-Replayed") == "true"
    return Answer(answer.status_code, data, answer.headers.get("ETag"), replayed)


def _retry_after(answer: httpx.Response) -> float | None:
    """Return Retry-After in seconds; it may also be a date."""
    text = answer.headers.get("Retry-After", "")
    if text.isdigit():
        return float(text)
    try:
        when = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, when.timestamp() - time.time())
