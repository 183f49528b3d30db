"""Uploads as a socket sends them: who may, who may not, and bodies that stop on their way."""

import contextlib
import json
import select
import socket
from dataclasses import dataclass

from tests.house.launching import until
from tests.kit.patience import PATIENCE
from tests.kit.production import Production

UPLOADERS = """
import json
from budgets.models import Quota
from tenancy import services
from tenancy.context import SYSTEM, acting
from tenancy.models import Role, User
from tenancy.scope import platform_scope, tenant_scope
from tests.kit import domain
from tests.kit.factories import make_member, make_token

def made(slug):
    user = User.objects.create_user(f"{slug}@example.org", "a good passphrase 1")
    tenant = services.create_tenant(slug=slug, name=slug, owner=user)
    stream = domain.make_stream(tenant)
    def sender(user=user, scopes=("streams:read", "streams:write")):
        _, token = make_token(user, tenant, list(scopes))
        return [f"/api/v1/tenants/{slug}/streams/{stream.id}/partitions", token]
    return tenant, sender

with platform_scope("test"), acting(SYSTEM):
    senders = {}
    for slug in ("slow-senders", "other-senders", "third-senders"):
        senders[slug] = made(slug)[1]()
    tenant, sender = made("refused-senders")
    senders["role_too_low"] = sender(make_member(tenant, Role.VIEWER))
    senders["scope_missing"] = sender(scopes=["streams:read"])
    senders["tenant_not_found"] = [senders["slow-senders"][0], sender()[1]]
    senders["partition_too_large"] = sender()
    tenant, sender = made("full-senders")
    senders["storage_quota"] = sender()
    Quota.objects.update_or_create(tenant=tenant, defaults={"storage_bytes": 1 << 20})
    tenant, sender = made("suspended-senders")
    senders["tenant_suspended"] = sender()
    services.set_tenant_status(tenant=tenant, status="suspended", reason="r")
    print(json.dumps(senders))
"""
"""Three tenants that may upload, and senders by the code that refuses them."""

INTERVAL = "start=2026-03-01T00%3A00%3A00Z&end=2026-03-01T01%3A00%3A00Z"


@dataclass(frozen=True)
class Sender:
    """A tenant's address for uploads, and a token."""

    path: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """Return what is sent there, through a proxy that speaks TLS."""
        shared = {"X-Forwarded-Proto": "https", "Content-Type": "application/vnd.apache.parquet"}
        return {**shared, "Authorization": f"Bearer {self.token}"}


def senders(installation: Production) -> dict[str, Sender]:
    """Make them; return them by their slug, or by the code of the problem that they get."""
    printed = installation.manage("shell", "-v", "0", "-c", UPLOADERS, process="worker").splitlines()[-1]
    return {name: Sender(path, token) for name, (path, token) in json.loads(printed).items()}


class SlowBody:
    """A partition of 8 MiB that stops after the first MiB."""

    def __init__(self, url: str, sender: Sender, length: int = 8 << 20, sent: int = 1 << 20) -> None:
        host = url.removeprefix("http://")
        told = "".join(f"{name}: {value}\r\n" for name, value in sender.headers.items())
        head = f"POST {sender.path}?{INTERVAL} HTTP/1.1\r\nHost: {host}\r\n{told}Content-Length: {length}\r\n\r\n"
        self.socket = socket.create_connection((host.split(":")[0], int(host.split(":")[1])), timeout=PATIENCE)
        with contextlib.suppress(ConnectionError):  # who is refused at the headers is not listened to
            self.socket.sendall(head.encode() + bytes(sent))

    def refusal(self, seconds: float = 0.0) -> str:
        """Return what was answered, "" while the rest is waited for."""
        if not select.select([self.socket], [], [], seconds)[0]:
            return ""
        with contextlib.suppress(ConnectionError):
            return self.socket.recv(1 << 16).decode()
        return "reset"

    def farewell(self) -> tuple[int, dict[str, str], str]:
        """Return status, headers and body of the answer; the connection ends though nothing more was sent."""
        said = b""
        while piece := self.socket.recv(1 << 16):
            said += piece
        head, _, body = said.decode().partition("\r\n\r\n")
        status, *lines = head.split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        assert len(body) == int(headers["content-length"])
        return int(status.split()[1]), headers, body

    def __enter__(self) -> "SlowBody":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def refused(bodies: list[SlowBody], number: int) -> list[str]:
    """Wait until so many were refused, and a moment for more; return what they were told."""
    until(lambda: sum(bool(select.select([body.socket], [], [], 0)[0]) for body in bodies) >= number)
    return [said for body in bodies if (said := body.refusal(0.2))]
