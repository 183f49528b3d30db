"""The compose file: valid, complete, and each process with its own credential."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.body_limit import SAMPLES, UPLOADS
from tests.security.routes import all_routes

ROOT = Path(__file__).resolve().parents[2]
SERVICES = {
    "postgres", "rabbitmq", "objects", "bucket", "migrate", "web", "stream", "admin", "beat", "proxy",
    "worker-cpu", "worker-gpu",
}  # fmt: skip
ROLE = {
    "migrate": ("owner", "exfm_owner"),
    "web": ("web", "exfm_app"),
    "stream": ("stream", "exfm_app"),
    "admin": ("admin", "exfm_platform"),
    "beat": ("beat", "exfm_platform"),
    "worker-cpu": ("worker", "exfm_platform"),
    "worker-gpu": ("worker", "exfm_platform"),
}
ONCE = {"migrate", "bucket"}
SILENT = {"beat", "bucket"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def test_it_fits_the_compose_schema():
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        "docker-compose.yml",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_names_every_service(compose):
    assert set(compose["services"]) == SERVICES


@pytest.mark.parametrize("service", ROLE)
def test_each_process_has_its_own_credential_only(compose, service):
    environment = compose["services"][service]["environment"]
    process, role = ROLE[service]
    assert environment["EXFM_PROCESS"] == process
    assert environment["DATABASE_URL"].startswith(f"postgresql://{role}:")
    others = {name for name in environment if name.startswith("DATABASE_URL_")}
    assert others == (
        {"DATABASE_URL_ADMIN", "DATABASE_URL_OWNER", "DATABASE_URL_APP", "DATABASE_URL_PLATFORM"}
        if service == "migrate"
        else set()
    )


def test_what_lives_on_is_restarted_and_watched(compose):
    for name, service in compose["services"].items():
        assert service["restart"] == ("no" if name in ONCE else "unless-stopped"), name
        watched = "test" in service.get("healthcheck", {})
        assert watched == (name not in SILENT | ONCE), name


def test_no_secret_stands_in_the_file():
    for line in (ROOT / "docker-compose.yml").read_text().splitlines():
        key, _, value = line.strip().partition(":")
        if any(word in key for word in ("PASSWORD", "SECRET", "_PASS")) and not key.startswith("#"):
            assert "${" in value, line


def test_the_example_names_every_variable(compose):
    text = (ROOT / "docker-compose.yml").read_text()
    example = (ROOT / ".env.example").read_text()
    wanted = set(re.findall(r"\$\{(\w+)", text))
    assert {name for name in wanted if not re.search(rf"^{name}=", example, re.MULTILINE)} == set()


def test_each_image_has_its_dockerfile_and_web_has_no_torch(compose):
    files = {s["build"]["dockerfile"] for s in compose["services"].values() if "build" in s}
    assert files == {"docker/web.Dockerfile", "docker/worker.Dockerfile"}
    printed = subprocess.run(
        [sys.executable, "scripts/setup/requirements.py", "s3"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert "Django" in printed and "s3fs" in printed
    assert not any(name in printed for name in ("torch", "fbgemm", "tensordict"))
    assert "torch" not in (ROOT / "docker/web.Dockerfile").read_text().replace("but torch", "")


@pytest.mark.parametrize("service", ["web", "stream", "admin", "worker-cpu", "beat"])
def test_commands_exist(compose, service):
    command = compose["services"][service].get("command")
    if command is None:
        dockerfile = compose["services"][service]["build"]["dockerfile"]
        last = (ROOT / dockerfile).read_text().strip().splitlines()[-1]
        command = yaml.safe_load(last.removeprefix("CMD "))
    program = Path(sys.executable).parent / command[0]
    done = subprocess.run([program, "--help"], capture_output=True, text=True, check=True)
    words = done.stdout
    assert all(option in words for option in command if option.startswith("--") and command[0] == "granian")


def test_what_may_last_hours_goes_to_the_process_that_holds_many():
    proxy = (ROOT / "docker/Caddyfile").read_text()
    [pattern] = re.findall(r"@streams path_regexp (\S+)", proxy)
    for rest in ("events", "exports/x/download", "audit/export"):
        assert re.search(pattern, f"/api/v1/tenants/team/{rest}"), rest
    for rest in ("exports", "runs", "audit", "events/more", "exports/x/download/more"):
        assert not re.search(pattern, f"/api/v1/tenants/team/{rest}"), rest
    assert re.search(r"handle @streams \{\s+reverse_proxy stream:8000", proxy)
    [uploads] = re.findall(r"@uploads \{\s+method POST\s+path_regexp (\S+)", proxy)
    for rest in ("streams/x/partitions", "streams/infer", "streams/x/partitions/"):
        path = f"/api/v1/tenants/team/{rest}"
        assert re.search(uploads, path) and (UPLOADS.match(path) or SAMPLES.match(path)), rest
    for rest in (
        "streams",
        "streams/x",
        "streams/x/partitions/imports",
        "streams/x/partitions/y",
        "more/streams/infer",
    ):
        path = f"/api/v1/tenants/team/{rest}"
        assert not re.search(uploads, path) and not UPLOADS.match(path) and not SAMPLES.match(path), rest
    assert re.search(r"handle @uploads \{\s+reverse_proxy stream:8000", proxy)


def test_whatever_holds_no_transaction_since_it_may_take_long_goes_there_too():
    """The actions that are `detached`, each by an address of its own: a new one needs its line in the proxy's file."""
    patterns = re.findall(r"path_regexp (\S+)", (ROOT / "docker/Caddyfile").read_text())
    long = {
        "/" + re.sub(r"<\w+:\w+>|<\w+>", "x", route.pattern)
        for route in all_routes()
        if route.view is not None and route.action in route.view.detached
    }
    assert len(long) == 3
    for path in long:
        assert any(re.search(pattern, path) for pattern in patterns), path


def test_no_thread_waits_for_a_slow_body():
    from django.conf import settings

    proxy = (ROOT / "docker/Caddyfile").read_text()
    for process in ("web", "admin"):
        [mebibytes] = re.findall(rf"reverse_proxy {process}:8000 \{{\s+request_buffers (\d+)MiB\s+\}}", proxy)
        assert int(mebibytes) << 20 > settings.DATA_UPLOAD_MAX_MEMORY_SIZE
