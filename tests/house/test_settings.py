"""Settings: addresses read from the environment, sentences for what cannot be read, secrets out of the logs."""

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env
from config.embedded.installation import SOCKET_PATH_MAX, Installation
from config.logs import blank_secrets, blank_text

ROOT = Path(__file__).resolve().parents[2]


def test_a_database_address_over_tcp():
    found = env.database("postgresql://exfm_app:p%40ss@db.example.com:5433/exfm?sslmode=require")
    assert (found["USER"], found["PASSWORD"], found["HOST"], found["PORT"]) == (
        "exfm_app",
        "p@ss",
        "db.example.com",
        "5433",
    )
    assert (found["NAME"], found["OPTIONS"]) == ("exfm", {"sslmode": "require"})


def test_a_database_address_over_a_unix_socket(tmp_path):
    place = Installation(tmp_path)
    place.secrets.get("exfm_app_password")
    found = env.database(place.database_url("web"))
    assert (found["HOST"], found["USER"], found["NAME"]) == (str(place.run), "exfm_app", "exfm")
    assert found["PASSWORD"] == place.secrets.read("exfm_app_password")


@pytest.mark.parametrize("url", ["sqlite:///db.sqlite3", "mysql://h/d", "postgresql://h", "nonsense"])
def test_other_databases_are_refused(url):
    with pytest.raises(ImproperlyConfigured, match="postgresql://"):
        env.database(url)


@pytest.mark.parametrize(
    ("name", "value", "read"), [("A_FLAG", "perhaps", env.flag), ("A_NUMBER", "many", lambda n: env.number(n, 1))]
)
def test_a_value_that_cannot_be_read_is_named(monkeypatch, name, value, read):
    monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=f"{name}='{value}'"):
        read(name)


def test_an_unknown_process_is_refused(monkeypatch):
    monkeypatch.setenv("EXFM_PROCESS", "root")
    with pytest.raises(ImproperlyConfigured, match="web, stream, admin"):
        env.process()


@pytest.mark.parametrize("missing", ["SECRET_KEY", "DATABASE_URL", "BROKER_URL", "STORAGE_URL"])
def test_production_names_the_missing_variable(missing):
    given = {
        "SECRET_KEY": "x", "DATABASE_URL": "postgresql://u:p@h/d", "BROKER_URL": "amqp://h", "STORAGE_URL": "s3://b",
        "PYTHONPATH": f"{ROOT}/platform:{ROOT}",
    }  # fmt: skip
    del given[missing]
    done = subprocess.run(
        [sys.executable, "-c", "import config.settings.production"],
        env=given,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f"{missing} is not set" in done.stderr


def test_a_socket_path_that_would_be_too_long_moves(tmp_path):
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    run = Installation(deep).run
    assert not run.is_relative_to(deep)
    assert len(str(run / ".s.PGSQL.5432.lock")) <= SOCKET_PATH_MAX


def test_two_homes_share_nothing(tmp_path):
    first, second = Installation(tmp_path / "a"), Installation(tmp_path / "b")
    assert first.secrets.get("secret_key") != second.secrets.get("secret_key")
    assert first.broker_url() != second.broker_url()


def test_secrets_stay_out_of_the_logs():
    event = {
        "event": "calling postgresql://exfm_app:hunter2@db/exfm with Bearer abc.def and exfm_1a2b_s3cr3t",
        "password": "hunter2",
        "api_key": "k",
        "Authorization": "Basic Zm9v",
        "tokens": ["exfm_1a2b_s3cr3t"],
        "tokens_used": 3,
    }
    shown = json.dumps(dict(blank_secrets(None, "info", dict(event))))
    assert not any(secret in shown for secret in ("hunter2", "s3cr3t", "abc.def", "Zm9v", '"k"'))
    assert '"tokens_used": 3' in shown and "exfm_app" in shown


def test_exceptions_carry_no_password_into_the_log(caplog):
    text = blank_text("could not connect to postgresql://exfm_app:hunter2@h/d")
    logging.getLogger("exfm.test").error(text)
    assert "hunter2" not in caplog.text


def test_web_and_admin_have_session_cookies_of_their_own(tmp_path):
    script = "from config.settings import local; print(local.SESSION_COOKIE_NAME)"
    names = set()
    for process in ("web", "admin"):
        environment = {"PATH": "/usr/bin", "PYTHONPATH": str(ROOT / "platform"), "EXFM_PROCESS": process}
        done = subprocess.run(
            [sys.executable, "-c", script],
            env={**environment, "EXFM_HOME": str(tmp_path)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        names.add(done.stdout.strip())
    assert names == {"exfm_session", "exfm_admin_session"}
