"""Calling the API in tests, and what its answers look like."""

from typing import Any

from django.http import HttpResponse
from django.test import Client

from tenancy.models import User

PROBLEM = {"type", "title", "status", "code", "detail", "mend", "request_id"}


class Api:
    """A caller: nobody, a signed-in user, or a bearer token. Errors are answers, as over the network.

    `proof` is what the user's session has shown besides a password.
    """

    def __init__(self, user: User | None = None, token: str = "", proof: str = "") -> None:
        self.client = Client(raise_request_exception=True)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        if user is not None:
            user.proof = proof
            self.client.force_login(user)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send JSON to `/api/v1/<path>` (or an absolute path) and return the response."""
        address = path if path.startswith("/") else f"/api/v1/{path}"
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if body is None:  # and not the empty form that Django's client would send
            return self.client.generic(method.upper(), address, headers=sent)
        return getattr(self.client, method.lower())(address, headers=sent, data=body, content_type="application/json")

    def get(self, path: str, **headers: str) -> Any:
        """GET."""
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """POST."""
        return self.call("POST", path, {} if body is None else body, **headers)

    def put(self, path: str, body: Any, **headers: str) -> Any:
        """PUT."""
        return self.call("PUT", path, body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> Any:
        """PATCH."""
        return self.call("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        """DELETE."""
        return self.call("DELETE", path, **headers)


def problem(response: HttpResponse, status: int, code: str = "") -> dict[str, Any]:
    """Check that the answer is a problem of that status and code; return its body."""
    assert response.status_code == status, (response.status_code, response.content[:500])
    assert response.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()  # type: ignore[attr-defined]
    assert set(body) >= PROBLEM, body
    assert body["status"] == status
    assert body["detail"]
    assert body["mend"]
    assert body["request_id"] == response.headers["X-Request-ID"]
    assert "Traceback" not in response.content.decode()
    if code:
        assert body["code"] == code, body
    return body
