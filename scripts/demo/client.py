"""A thin client of the public API: bearer token or session, problem+json turned into sentences, safe retries."""

import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx

from scripts.demo.errors import DemoError

AWAY_SECONDS = 60
"""How long a platform that restarts, or one that asks to wait, is waited for."""


class ApiProblem(DemoError):
    """The API refused a request: its status, stable code, sentence and mend."""

    def __init__(self, status: int, body: dict[str, Any], call: str) -> None:
        self.status = status
        self.code = str(body.get("code", ""))
        detail = body.get("detail") or body.get("title") or "no detail"
        super().__init__(f"{call} answered {status}: {detail}", str(body.get("mend") or "see the platform's log"))


class Client:
    """One signed-in caller. Every request that may be repeated safely is retried while the server restarts."""

    def __init__(self, base: str, token: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(base_url=base, headers=headers, timeout=httpx.Timeout(60, connect=5))

    def sign_in(self, email: str, password: str) -> None:
        """Open a session with a CSRF token, as the dashboard does."""
        self._http.get("/api/v1/session")
        self.call("POST", "/api/v1/session", json={"email": email, "password": password})

    def get(self, path: str, **params: Any) -> Any:
        """GET `path` and return the decoded body."""
        return self.call("GET", path, params=params)

    def post(self, path: str, body: Any = None) -> Any:
        """POST JSON, with an idempotency key, so that a repeated request creates nothing twice."""
        return self.call("POST", path, json=body if body is not None else {}, key=uuid.uuid4().hex)

    def put(self, path: str, body: Any) -> Any:
        """PUT JSON."""
        return self.call("PUT", path, json=body)

    def pages(self, path: str, **params: Any) -> Iterator[dict[str, Any]]:
        """Yield the results of every page of a list."""
        answer = self.get(path, **params)
        while True:
            yield from answer["results"]
            if not answer.get("next"):
                return
            answer = self.get(answer["next"])

    def upload(self, path: str, content: bytes, sha256: str, **params: str) -> Any:
        """POST a partition's bytes; the hash makes a repeated upload harmless."""
        headers = {"X-Content-SHA256": sha256, "Content-Type": "application/vnd.apache.parquet"}
        return self.call("POST", path, content=content, params=params, headers=headers, key=f"{path}:{sha256}"[-200:])

    def call(
        self, method: str, path: str, *, key: str = "", headers: dict[str, str] | None = None, **kwargs: Any
    ) -> Any:
        """Send one request; raise `ApiProblem` for a refusal and `DemoError` when nobody answers."""
        sent = dict(headers or {})
        if key:
            sent["Idempotency-Key"] = key
        if csrf := self._http.cookies.get("csrftoken"):
            sent["X-CSRFToken"] = csrf
            sent["Referer"] = str(self._http.base_url)
        deadline = time.monotonic() + AWAY_SECONDS
        pause = 0.5
        while True:
            try:
                answer = self._http.request(method, path, headers=sent, **kwargs)
            except httpx.TransportError as problem:
                if time.monotonic() > deadline:
                    raise DemoError(
                        f"the platform at {self._http.base_url} does not answer ({problem})",
                        "look at var/logs, then start it again with `make demo`",
                    ) from problem
            else:
                if answer.status_code not in (429, 502, 503) or time.monotonic() > deadline:
                    return self._decode(answer, f"{method} {path}")
                pause = max(pause, min(float(answer.headers.get("Retry-After", 1)), 30.0))
            time.sleep(pause)
            pause = min(pause * 2, 8.0)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    @staticmethod
    def _decode(answer: httpx.Response, call: str) -> Any:
        if answer.is_success:
            return answer.json() if answer.content else None
        try:
            body = answer.json()
        except ValueError:
            body = {"detail": answer.text[:200]}
        raise ApiProblem(answer.status_code, body if isinstance(body, dict) else {"detail": str(body)}, call)
