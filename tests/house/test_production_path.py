"""Production without Docker: the compose file's processes, settings and servers, and the small main job on them."""

import contextlib
import http.client
import json
import select
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.base.downloads import LOOK_BYTES, PIECE
from scripts.demo import client as demo_client
from tests.house.launching import until
from tests.kit.patience import PATIENCE
from tests.kit.production import Production, production

pytestmark = [pytest.mark.stack]


class BehindProxy(demo_client.Client):
    """The demo's client as the proxy that ends TLS makes it look to the processes."""

    def __init__(self, base: str, token: str | None = None) -> None:
        super().__init__(base, token)
        self._http.headers["X-Forwarded-Proto"] = "https"
        self._http.event_hooks = {"request": [self._over_tls]}

    def _over_tls(self, request: httpx.Request) -> None:
        """Send what a browser would send over TLS: the secure cookies, and a referring page with that scheme."""
        request.headers["Cookie"] = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._http.cookies.jar)
        if referer := request.headers.get("Referer"):
            request.headers["Referer"] = referer.replace("http://", "https://", 1)


EXPORTED = """
import json
import os
from datetime import timedelta
from django.utils import timezone
from catalog import storage
from tenancy import export_work, services
from tenancy.context import SYSTEM, acting
from tenancy.models import Role, Tenant, TenantExport, User
from tenancy.scope import platform_scope, tenant_scope

with platform_scope("test"), acting(SYSTEM):
    slug, mebibytes = os.environ["SLUG"], int(os.environ["MEBIBYTES"])
    user = User.objects.create_user(f"{slug}@example.org", "a good passphrase 1")
    tenant = services.create_tenant(slug=slug, name=slug, owner=user)
    with tenant_scope(tenant.id):
        scopes = ["tenant:export", "members:read", "tokens:write"]
        made, token = services.create_token(user=user, role=Role.OWNER, name="t", scopes=scopes)
    uri = f"{export_work.folder(tenant.id)}/one.zip"
    with storage.writing(uri) as file:
        for _ in range(mebibytes):
            file.write(bytes(1 << 20))
    row = TenantExport.objects.create(
        tenant=tenant, include=["rows"], state="done", uri=uri, sha256="0" * 64, bytes=mebibytes << 20,
        finished_at=timezone.now(), expires_at=timezone.now() + timedelta(days=1),
    )
    print(json.dumps([f"/api/v1/tenants/{tenant.slug}", f"exports/{row.id}", token, str(made.id)]))
"""
"""A tenant with a finished export."""


UPLOADERS = """
import json
from tenancy import services
from tenancy.context import SYSTEM, acting
from tenancy.models import Role, User
from tenancy.scope import platform_scope, tenant_scope
from tests.kit import domain

with platform_scope("test"), acting(SYSTEM):
    made = []
    for slug in ("slow-senders", "other-senders"):
        user = User.objects.create_user(f"{slug}@example.org", "a good passphrase 1")
        tenant = services.create_tenant(slug=slug, name=slug, owner=user)
        stream = domain.make_stream(tenant)
        with tenant_scope(tenant.id):
            scopes = ["streams:write", "streams:read"]
            _, token = services.create_token(user=user, role=Role.OWNER, name="t", scopes=scopes)
        made.append([f"/api/v1/tenants/{slug}/streams/{stream.id}/partitions", token])
    print(json.dumps(made))
"""
"""Two tenants that may upload."""

INTERVAL = "start=2026-03-01T00%3A00%3A00Z&end=2026-03-01T01%3A00%3A00Z"


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    with production(tmp_path_factory.mktemp("production")) as running:
        yield running


def get(url: str, **headers: str) -> tuple[int, Any]:
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    try:
        with urllib.request.build_opener(Stay).open(
            urllib.request.Request(url, headers=headers), timeout=PATIENCE
        ) as answer:
            return answer.status, answer.headers
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers


def test_all_processes_are_ready(installation):
    assert all(installation.ready(process) for process in ("web", "admin", "stream"))
    assert installation.running["worker"].poll() is None
    assert installation.running["beat"].poll() is None


def test_plain_http_is_sent_to_https(installation):
    status, headers = get(f"{installation.url('web')}/api/v1/session")
    assert (status, headers["Location"][:8]) == (301, "https://")


def test_security_headers(installation):
    _, headers = get(f"{installation.url('web')}/api/v1/docs", **{"X-Forwarded-Proto": "https"})
    assert headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Request-ID"]


def test_cookies_travel_over_tls_only(installation):
    _, headers = get(f"{installation.url('web')}/", **{"X-Forwarded-Proto": "https"})
    assert "Secure" in headers["Set-Cookie"]


def test_the_admin_site_and_its_static_files_answer(installation):
    forwarded = {"X-Forwarded-Proto": "https"}
    assert get(f"{installation.url('admin')}/admin/login/", **forwarded)[0] == 200
    manifest = json.loads((Path(installation.folder) / "static/staticfiles.json").read_text())
    status, headers = get(f"{installation.url('admin')}/static/{manifest['paths']['admin/css/base.css']}", **forwarded)
    assert (status, "immutable" in headers["Cache-Control"]) == (200, True)
    assert get(f"{installation.url('web')}/admin/", **forwarded)[0] == 302


def test_check_deploy_is_clean(installation):
    said = installation.manage("check", "--deploy", "--fail-level", "WARNING", process="web")
    assert "no issues" in said


def exported(installation: Production, slug: str, mebibytes: int) -> tuple[str, str, dict[str, str], str]:
    """Return the addresses of a tenant and of its export, the headers of who may have it, and their token's id."""
    said = installation.manage(
        "shell", "-v", "0", "-c", EXPORTED, process="worker", SLUG=slug, MEBIBYTES=str(mebibytes)
    )
    tenant, export, token, token_id = json.loads(said.splitlines()[-1])
    return tenant, export, {"X-Forwarded-Proto": "https", "Authorization": f"Bearer {token}"}, token_id


@pytest.mark.parametrize("process", ["stream", "web"])
def test_a_download_ends_with_its_token(installation, process):
    size = 3 * LOOK_BYTES
    tenant, export, headers, token_id = exported(installation, f"revoked-{process}", mebibytes=size >> 20)
    asked = urllib.request.Request(f"{installation.url(process)}{tenant}/{export}/download", headers=headers)
    with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
        assert (answer.status, int(answer.headers["Content-Length"])) == (200, size)
        assert len(answer.read(1 << 20)) == 1 << 20
        revoke = urllib.request.Request(
            f"{installation.url('web')}{tenant}/tokens/{token_id}", headers=headers, method="DELETE"
        )
        assert urllib.request.urlopen(revoke, timeout=PATIENCE).status == 204
        with pytest.raises((http.client.IncompleteRead, ConnectionError)) as caught:
            answer.read()
    got = len(getattr(caught.value, "partial", b"")) + (1 << 20)
    assert got <= LOOK_BYTES + PIECE
    assert installation.ready(process)


def test_who_reads_a_download_slowly_keeps_nobody_waiting(installation):
    """More readers than threads and database connections, each stopping after the headers."""
    tenant, export, headers, _ = exported(installation, "slow-readers", mebibytes=64)  # more than what sockets buffer
    path = f"{tenant}/{export}"
    with contextlib.ExitStack() as stack:
        for _ in range(24):
            asked = urllib.request.Request(f"{installation.url('stream')}{path}/download", headers=headers)
            slow = stack.enter_context(urllib.request.urlopen(asked, timeout=PATIENCE))
            assert (slow.status, len(slow.read(1000))) == (200, 1000)
        for process in ("stream", "web"):
            assert get(f"{installation.url(process)}{path}", **headers)[0] == 200


@pytest.fixture(scope="module")
def uploaders(installation: Production) -> list[tuple[str, dict[str, str]]]:
    """Return two tenants' addresses for uploads with the headers of who may send there."""
    printed = installation.manage("shell", "-v", "0", "-c", UPLOADERS, process="worker").splitlines()[-1]
    shared = {"X-Forwarded-Proto": "https", "Content-Type": "application/vnd.apache.parquet"}
    return [(path, {**shared, "Authorization": f"Bearer {token}"}) for path, token in json.loads(printed)]


class SlowBody:
    """A partition of 8 MiB that stops after the first MiB."""

    def __init__(self, url: str, path: str, headers: dict[str, str], length: int = 8 << 20) -> None:
        host = url.removeprefix("http://")
        told = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"POST {path}?{INTERVAL} HTTP/1.1\r\nHost: {host}\r\n{told}Content-Length: {length}\r\n\r\n"
        self.socket = socket.create_connection((host.split(":")[0], int(host.split(":")[1])), timeout=PATIENCE)
        with contextlib.suppress(ConnectionError):  # who is refused at the headers is not listened to
            self.socket.sendall(head.encode() + bytes(1 << 20))

    def refusal(self, seconds: float = 0.0) -> str:
        """Return what was answered, "" while the rest is waited for."""
        if not select.select([self.socket], [], [], seconds)[0]:
            return ""
        with contextlib.suppress(ConnectionError):
            return self.socket.recv(1 << 16).decode()
        return "reset"

    def __enter__(self) -> "SlowBody":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def refused(bodies: list[SlowBody], number: int) -> list[str]:
    """Wait until so many were refused, and a moment for more; return what they were told."""
    until(lambda: sum(bool(select.select([body.socket], [], [], 0)[0]) for body in bodies) >= number)
    return [said for body in bodies if (said := body.refusal(0.2))]


def test_who_sends_slowly_keeps_no_thread_of_web_from_others(installation, uploaders):
    """Twice as many as there are threads: two are read, the others are sent away."""
    (path, headers), _ = uploaders
    web = installation.url("web")
    with contextlib.ExitStack() as stack:
        bodies = [stack.enter_context(SlowBody(web, path, headers)) for _ in range(8)]
        assert get(f"{web}{path}", **headers)[0] == 200
        told = refused(bodies, 6)
        assert len(told) == 6
        for said in told:
            assert said == "reset" or (said.startswith("HTTP/1.1 503") and "uploads_busy" in said)
            assert said == "reset" or "retry-after: 10" in said.lower()
        assert any(said != "reset" for said in told)

    def free() -> bool:
        """Who went away leaves the thread."""
        with SlowBody(web, path, headers) as body:
            return body.refusal(1.0) == ""

    until(free)


def test_who_sends_slowly_to_the_process_that_holds_many_keeps_nobody_out(installation, uploaders):
    """More than a tenant has places there: the rest are sent away; other tenants, and whatever is short, go on."""
    (path, headers), (other, others) = uploaders
    stream, web = installation.url("stream"), installation.url("web")
    with contextlib.ExitStack() as stack:
        bodies = [stack.enter_context(SlowBody(stream, path, headers)) for _ in range(12)]
        told = refused(bodies, 4)
        assert len(told) == 4
        assert all(said == "reset" or said.startswith("HTTP/1.1 503") for said in told)
        assert get(f"{stream}{path}", **headers)[0] == get(f"{web}{path}", **headers)[0] == 200
        asked = {"content": bytes(3 << 20), "headers": others, "timeout": PATIENCE, "trust_env": False}
        whole = httpx.post(f"{stream}{other}?{INTERVAL}", **asked)
        assert whole.status_code == 202, whole.text
        stranger = httpx.post(f"{stream}{path}?{INTERVAL}", **asked)
        assert (stranger.status_code, stranger.json()["code"]) == (413, "body_too_large"), "nobody else's gigabyte"


def test_the_small_main_job(installation, tmp_path, monkeypatch):
    from exfm_core.recipes import load
    from scripts.demo import scenario as demo

    monkeypatch.setattr(demo, "Client", BehindProxy)
    made = json.loads(
        installation.manage("bootstrap_admin", "--email", "admin@exfm.example.com", "--json", process="admin")
    )
    admin = BehindProxy(installation.url("admin"), made["token"])
    job = demo.Scenario(
        load("tiny"), web=installation.url("web"), admin=admin, credentials=demo.Credentials(tmp_path / "keys.json")
    )
    job.set_up()
    job.run()
    answer = job.result()
    print(f"\non {installation.where}: pooled lift {answer['pooled']}")
    assert len(answer["tenants"]) == len(job.teams)
    assert all(row["ne_control"] and row["ne_treatment"] for row in answer["tenants"])
