"""The launcher: readiness, restarts, Ctrl-C, `kill -9`, adoption, and refusals in one sentence."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import psutil
import pytest

from config.embedded.child import Child
from tests.house.launching import ROOT, Launched, processes_of, refusal, until
from tests.kit.patience import PATIENCE
from tests.kit.ports import free_port_pair

pytestmark = pytest.mark.stack


def child(home: Path, name: str) -> psutil.Process | None:
    record = json.loads((home / "launcher.json").read_text())
    identity = record["processes"].get(name)
    return psutil.Process(identity["pid"]) if identity and psutil.pid_exists(identity["pid"]) else None


def status(port: int, path: str = "/readyz") -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE) as response:
        return int(response.status)


def test_web_and_admin_are_ready(up):
    assert (status(up.port), status(up.port + 1)) == (200, 200)


def test_secrets_can_be_read_by_their_owner_only(up):
    folder = up.home / "secrets"
    assert folder.stat().st_mode & 0o777 == 0o700
    names = {path.name for path in folder.iterdir()}
    assert {"secret_key", "exfm_owner_password", "exfm_app_password", "exfm_platform_password"} <= names
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_each_process_holds_its_own_credential_only(up):
    roles = {"web": "exfm_app", "admin": "exfm_platform", "worker": "exfm_platform", "beat": "exfm_platform"}
    for name, role in roles.items():
        environment = until(lambda name=name: child(up.home, name)).environ()
        assert environment["DATABASE_URL"].startswith(f"postgresql://{role}:")
        assert [key for key in environment if key.startswith("DATABASE_URL")] == ["DATABASE_URL"]
        assert environment["OMP_WAIT_POLICY"] == "passive"


def test_a_second_launcher_of_the_same_folder_is_refused(up):
    code, said = refusal(up.home, free_port_pair())
    assert code == 1
    assert "already runs" in said and "make stop" in said and "Traceback" not in said


def test_a_port_in_use_is_named_with_a_free_one(home):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, said = refusal(home, port)
    assert code == 1
    assert f"Port {port}" in said and "EXFM_PORT=" in said and "Traceback" not in said


def test_a_killed_worker_comes_back(up):
    before = until(lambda: child(up.home, "worker"))
    before.kill()
    up.wait_for("worker ended (signal SIGKILL)")
    after = until(lambda: child(up.home, "worker"))
    assert after.pid != before.pid


def test_kill_of_the_launcher_leaves_no_process_and_the_next_start_adopts_the_servers(home):
    first = Launched(home, free_port_pair()).ready()
    database = int((home / "servers/postgres/postmaster.pid").read_text().split()[0])
    first.kill()
    until(lambda: not processes_of(home, servers=False))
    assert psutil.pid_exists(database)

    second = Launched(home, free_port_pair()).ready()
    assert int((home / "servers/postgres/postmaster.pid").read_text().split()[0]) == database
    assert second.stop() == 0
    assert processes_of(home) == []


def test_kill_in_mid_start_leaves_no_process_and_down_stops_the_servers(home):
    launched = Launched(home, free_port_pair())
    launched.wait_for("Servers ready")
    launched.kill()
    until(lambda: not processes_of(home, servers=False))
    code, said = refusal(home, 1, "down")
    assert code == 0 and "PostgreSQL" in said and "Valkey" in said
    assert processes_of(home) == []
    assert "Nothing runs" in refusal(home, 1, "down")[1]


def test_killed_servers_and_a_stale_pid_file_do_not_stop_the_next_start(home):
    first = Launched(home, free_port_pair()).ready()
    for process in processes_of(home):
        if process.pid != first.process.pid:
            process.kill()
    first.kill()
    until(lambda: not processes_of(home))
    pid_file = home / "servers/postgres/postmaster.pid"
    # The number in the file now belongs to a stranger: this very process.
    pid_file.write_text("\n".join([str(os.getpid()), *pid_file.read_text().splitlines()[1:]]) + "\n")

    second = Launched(home, free_port_pair()).ready()
    assert second.stop() == 0


def test_sigterm_and_down_stop_a_running_platform(home):
    launched = Launched(home, free_port_pair()).ready()
    code, said = refusal(home, 1, "down")
    assert code == 0 and "the launcher" in said
    assert launched.process.wait(PATIENCE) == 0
    assert processes_of(home) == []


def test_a_closed_terminal_stops_it_and_a_start_in_the_meantime_waits(home):
    launched = Launched(home, free_port_pair()).ready()
    launched.process.send_signal(signal.SIGHUP)
    launched.wait_for("Stopping")
    following = Launched(home, free_port_pair()).ready()
    assert launched.process.wait(PATIENCE) == 0
    assert following.stop() == 0
    assert processes_of(home) == []


def test_a_child_that_does_not_end_is_killed(tmp_path):
    """So a stop takes no longer than the launcher's patience, whatever a child does."""
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    child = Child("deaf", [sys.executable, "-c", deaf], os.environ, tmp_path / "log", lambda _: None)
    child.start()
    until(lambda: (tmp_path / "log").exists() and "deaf" in (tmp_path / "log").read_text())
    child.ask_to_stop()
    child.end(0.2)
    child.join(PATIENCE)
    assert child.process is not None and child.process.returncode == -signal.SIGKILL


def test_it_ends_with_the_process_that_started_it(home):
    script = """if True:
        import os, subprocess, sys
        command = [sys.executable, "manage.py", "up", "--parent", str(os.getpid())]
        launcher = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        print(next(line for line in launcher.stdout if "Ready" in line), flush=True)
        launcher.wait()
    """
    environment = {**os.environ, "EXFM_HOME": str(home), "EXFM_PORT": str(free_port_pair())}
    parent = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None and "Ready" in parent.stdout.readline()
    parent.kill()
    parent.wait()
    until(lambda: not processes_of(home))


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"EXFM_PORT": "abc"}, "EXFM_PORT='abc' is not a whole number"),
        ({"EXFM_PORT": "99999"}, "EXFM_PORT=99999 is not a port"),
        ({"EXFM_HOME": "/proc/nowhere"}, "EXFM_HOME=/path"),
        ({"EXFM_PROCESS": "root"}, "EXFM_PROCESS='root' is unknown"),
    ],
)
def test_bad_variables_are_refused_in_a_sentence(home, monkeypatch, variables, sentence):
    monkeypatch.setenv("EXFM_HOME", str(home))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    done = subprocess.run([sys.executable, "manage.py", "up"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert sentence in done.stderr and "Traceback" not in done.stderr
    assert list(home.glob("servers")) == []


def test_lost_secrets_are_named(home):
    Launched(home, free_port_pair()).ready().stop()
    (home / "secrets/postgres_password").unlink()
    code, said = refusal(home, free_port_pair())
    assert code == 1
    assert "not those of the database" in said and "Traceback" not in said
    assert processes_of(home) == []
