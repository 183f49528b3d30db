"""Production without Docker: the compose file's processes, settings and servers, and the small main job on them."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from scripts.demo import client as demo_client
from tests.kit.production import Production, production

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]


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


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    with production(tmp_path_factory.mktemp("production")) as running:
        yield running


def get(url: str, **headers: str) -> tuple[int, Any]:
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    try:
        with urllib.request.build_opener(Stay).open(urllib.request.Request(url, headers=headers), timeout=10) as answer:
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
