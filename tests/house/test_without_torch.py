"""Web, admin, worker and beat never load torch, stay small, and start fast enough to be restarted at will."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.launching import ROOT, processes_of

ENTRIES = {
    "web": "import config.asgi",
    "production web": "import config.wsgi",
    "worker": "import django; django.setup(); import config; config.celery_app.loader.import_default_modules()",
    "beat": "import django; django.setup(); import django_celery_beat.schedulers",
}
WEB_MB = 150
ALL_MB = 1024


@pytest.mark.parametrize("entry", ENTRIES)
def test_no_entry_point_imports_torch(entry):
    heavy = "sorted({'torch', 'torchrec', 'fbgemm_gpu'} & set(sys.modules))"
    code = f"import sys; sys.path[:0] = ['platform', '.']; {ENTRIES[entry]}; print({heavy})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.stack
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_running_process_has_mapped_torch(up):
    running = processes_of(up.home, servers=False)
    assert len(running) >= 5
    assert [p.cmdline() for p in running if "libtorch" in Path(f"/proc/{p.pid}/maps").read_text()] == []


@pytest.mark.stack
def test_the_idle_platform_is_small(up):
    running = processes_of(up.home)
    assert max(p.memory_info().rss for p in running if p.name() not in {"postgres"}) <= WEB_MB * 1e6
    assert sum(p.memory_info().rss for p in running) <= ALL_MB * 1e6
