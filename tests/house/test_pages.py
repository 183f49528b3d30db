"""What every response carries, and how the dashboard's page and files are served."""

from pathlib import Path

import pytest
from django.test import Client, override_settings

from config.settings.static import WHITENOISE_IMMUTABLE_FILE_TEST


@pytest.fixture
def dist(tmp_path, settings):
    (tmp_path / "index.html").write_text("<!doctype html><title>ExFM</title>")
    settings.FRONTEND_DIST = tmp_path
    return tmp_path


@pytest.mark.parametrize("path", ["/", "/t/northwind/models", "/sign-in"])
def test_the_dashboards_addresses_all_answer_with_its_page(client, dist, path):
    answer = client.get(path)
    assert answer.status_code == 200
    assert b"ExFM" in answer.content
    assert answer["Cache-Control"] == "no-cache"
    assert "csrftoken" in answer.cookies


def test_without_a_build_the_page_names_the_command(client, settings, tmp_path):
    settings.FRONTEND_DIST = tmp_path
    answer = client.get("/")
    assert (answer.status_code, b"make frontend" in answer.content) == (503, True)


def test_unknown_addresses_below_api_are_no_page(client, dist):
    assert client.get("/api/v1/nothing").status_code == 404


def test_security_headers(client, dist):
    answer = client.get("/", headers={"X-Request-ID": "a-callers-id"})
    policy = answer["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "script-src 'self';" in policy and "frame-ancestors 'none'" in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["X-Request-ID"] == "a-callers-id"


@pytest.mark.parametrize("given", ["", "short", "x" * 200, "line\tbreak-and-more", "<script>alert</script>"])
def test_a_strange_request_id_is_replaced(client, dist, given):
    answer = client.get("/", headers={"X-Request-ID": given})
    assert len(answer["X-Request-ID"]) == 32


@override_settings(EXFM_ADMIN_ORIGIN="https://admin.example.com/")
def test_web_sends_administrators_to_their_process(rf):
    from config.views import to_admin

    assert to_admin(rf.get("/admin/x/"), path="x/")["Location"] == "https://admin.example.com/admin/x/"


def test_the_page_takes_no_posts(dist):
    assert Client().post("/").status_code == 405


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("/assets/index-DiwrgTda.js", True),
        ("/assets/inter-latin-wght-normal-Dx4kXJAl.woff2", True),
        ("/index.html", False),
        ("/favicon.svg", False),
        ("/static/admin/css/base.1f418065fc2c.css", True),
        ("/static/admin/css/base.css", False),
        ("/static/swagger-ui-dist/swagger-ui-standalone-preset.js", False),
    ],
)
def test_only_names_with_a_hash_are_kept_for_ever(url, kept):
    assert WHITENOISE_IMMUTABLE_FILE_TEST(str(Path(url)), url) is kept
