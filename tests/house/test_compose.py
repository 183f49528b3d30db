"""The compose file: valid, complete, and each process with its own credential."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

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
    import re

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
