"""How many runs a worker offers to hold."""

import pytest

from workers import lifecycle
from workers.lifecycle import slots


@pytest.mark.parametrize(
    ("asked", "cores", "threads", "offered"),
    [("", 2, 16, 8), ("", 6, 16, 12), ("", 64, 16, 14), ("3", 64, 16, 3), ("40", 4, 16, 14), ("", 4, 1, 1)],
)
def test_slots(monkeypatch, asked, cores, threads, offered):
    monkeypatch.setenv("EXFM_SLOTS", asked)
    monkeypatch.setattr(lifecycle.os, "cpu_count", lambda: cores)
    assert slots(threads) == offered
