"""What children and Celery processes may know: no secrets for the first, no torch in the second."""

import os
import subprocess
import sys

from config import env
from workers.child import clean_environment

SECRETS = {
    "DATABASE_URL": "postgresql://u:p@/x",
    "BROKER_URL": "redis://secret",
    "SECRET_KEY": "s",
    "DATABASE_URL_OWNER": "x",
    "EXFM_HOME": "/x",
}


def test_a_child_gets_no_address_and_no_secret(monkeypatch):
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    given = clean_environment(2)
    assert not set(given) & set(SECRETS)
    assert not any("secret" in value for value in given.values())
    assert given["OMP_NUM_THREADS"] == "2"
    assert given["OMP_WAIT_POLICY"] == "passive"


def test_credentials_of_s3_go_to_children_that_open_it_and_to_nobody_else(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_PROFILE", "operator")
    monkeypatch.setenv("SECRET_KEY", "s")
    given = clean_environment(2, "s3://bucket/exfm")
    assert (given["AWS_ACCESS_KEY_ID"], given["AWS_SECRET_ACCESS_KEY"]) == ("key", "secret")
    assert not {"AWS_PROFILE", "SECRET_KEY"} & set(given)
    for storage in ("", "file:///srv/exfm", "memory://s3"):
        assert not any(name.startswith("AWS_") for name in clean_environment(2, storage))


def test_celery_processes_never_load_torch():
    code = "import django; django.setup(); import workers.tasks, sys; print([m for m in sys.modules if 'torch' in m])"
    paths = os.pathsep.join([str(env.ROOT / "platform"), str(env.ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": paths, "DJANGO_SETTINGS_MODULE": "config.settings.test"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
