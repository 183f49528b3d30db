"""Production without Docker: the compose file's processes, settings and servers, and the small main job on them."""

import contextlib
import functools
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.base.downloads import LOOK_BYTES, PIECE
from config.body_limit import LINGER_BYTES
from exfm_client.cli.main import main as exfm
from scripts.demo import client as demo_client
from tests.house.launching import until
from tests.house.uploading import INTERVAL, Sender, SlowBody, refused, senders
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
def uploaders(installation: Production) -> dict[str, Sender]:
    """Return who may upload, and who may not."""
    return senders(installation)


def test_who_sends_slowly_keeps_no_thread_of_web_from_others(installation, uploaders):
    """More of each tenant than there are threads: one of each is read while two are free, the others are sent away."""
    slow, other, third = (uploaders[f"{name}-senders"] for name in ("slow", "other", "third"))
    web = installation.url("web")
    with contextlib.ExitStack() as stack:
        for sender, number, away in ((slow, 6, 5), (other, 3, 2), (third, 2, 2)):
            bodies = [stack.enter_context(SlowBody(web, sender)) for _ in range(number)]
            told = refused(bodies, away)
            assert len(told) == away
            for said in told:
                assert said == "reset" or (said.startswith("HTTP/1.1 503") and "uploads_busy" in said)
                assert said == "reset" or "retry-after: 10" in said.lower()
            assert any(said != "reset" for said in told)
            assert get(f"{web}{sender.path}", **sender.headers)[0] == 200

    def free(sender: Sender) -> bool:
        """Who went away leaves the thread."""
        with SlowBody(web, sender) as body:
            return body.refusal(1.0) == ""

    for sender in (slow, third):
        until(lambda sender=sender: free(sender))
        asked = httpx.get(f"{web}{sender.path}", headers=sender.headers, trust_env=False)
        assert asked.json()["results"] == [], "half a body is no partition"


def test_who_sends_slowly_to_the_process_that_holds_many_keeps_nobody_out(installation, uploaders):
    """More than a tenant has places there: the rest are sent away; other tenants, and whatever is short, go on."""
    slow, other = uploaders["slow-senders"], uploaders["other-senders"]
    stream, web = installation.url("stream"), installation.url("web")
    with contextlib.ExitStack() as stack:
        bodies = [stack.enter_context(SlowBody(stream, slow)) for _ in range(12)]
        told = refused(bodies, 4)
        assert len(told) == 4
        assert all(said.startswith("HTTP/1.1 503") for said in told)
        assert get(f"{stream}{slow.path}", **slow.headers)[0] == get(f"{web}{slow.path}", **slow.headers)[0] == 200
        asked = {"content": bytes(3 << 20), "headers": other.headers, "timeout": PATIENCE, "trust_env": False}
        whole = httpx.post(f"{stream}{other.path}?{INTERVAL}", **asked)
        assert whole.status_code == 202, whole.text


REFUSED = {
    "role_too_low": 403,
    "scope_missing": 403,
    "tenant_suspended": 403,
    "storage_quota": 403,
    "tenant_not_found": 404,
    "partition_too_large": 413,
}


@pytest.mark.parametrize("process", ["stream", "web"])
def test_who_may_not_send_is_told_before_the_body_is_sent(installation, uploaders, process):
    """Headers and a few bytes of each; none of them has taken a place from who may."""
    url, may = installation.url(process), uploaders["other-senders"]
    with contextlib.ExitStack() as stack:
        bodies = {
            code: stack.enter_context(
                SlowBody(url, uploaders[code], length=2 << 30 if status == 413 else 64 << 20, sent=10)
            )
            for code, status in REFUSED.items()
        }
        admitted = stack.enter_context(SlowBody(url, may))
        for code, body in bodies.items():
            status, headers, said = body.farewell()
            assert (status, json.loads(said)["code"]) == (REFUSED[code], code)
            assert (headers["connection"], headers["content-type"]) == ("close", "application/problem+json")
        assert admitted.refusal(0.5) == "", "its place is free"


@pytest.mark.parametrize("process", ["stream", "web"])
def test_the_client_shows_why_a_long_upload_is_refused(installation, uploaders, process, tmp_path, monkeypatch, capsys):
    """Not that the connection broke while it was sending."""
    file = tmp_path / "day.parquet"
    with file.open("wb") as sparse:
        sparse.truncate(8 * LINGER_BYTES)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    behind_proxy = functools.partial(httpx.Client, headers={"X-Forwarded-Proto": "https"}, trust_env=False)
    monkeypatch.setattr("exfm_client.transport.httpx.Client", behind_proxy)
    interval = ["--start", "2026-03-01T00:00:00Z", "--end", "2026-03-01T01:00:00Z"]
    for code in ("role_too_low", "scope_missing", "storage_quota"):
        sender = uploaders[code]
        _, _, _, _, tenant, _, stream, _ = sender.path.split("/")
        for name, value in {"URL": installation.url(process), "TOKEN": sender.token, "TENANT": tenant}.items():
            monkeypatch.setenv(f"EXFM_{name}", value)
        assert exfm(["streams", "push", stream, str(file), *interval]) in (1, 3)
        said = capsys.readouterr().err
        assert f"(403 {code}, request " in said, said


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
