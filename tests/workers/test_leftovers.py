"""Files of attempts that died before their commit are swept when a day old; whatever a row refers to stays."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from registry.models import Checkpoint
from tenancy.scope import platform_scope
from tests.kit.domain import foundation_lineage, hour, make_foundation_model
from workers.leftovers import remove_leftovers


@pytest.mark.django_db
def test_only_old_unreferenced_files_go(storage):
    root = Path(storage.removeprefix("file://"))
    names = {"kept": "runs/a/1/1-kept", "old": "runs/a/1/1-old", "young": "runs/a/2/1-young", "broken": "incoming/x"}
    for name, uri in names.items():
        path = root / uri
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        if name != "young":
            then = (timezone.now() - timedelta(days=2)).timestamp()
            os.utime(path, (then, then))
    with platform_scope("test"):
        lineage = foundation_lineage(make_foundation_model())
        Checkpoint.objects.create(lineage=lineage, position=hour(1), uri=names["kept"], sha256="0" * 64, bytes=1)
        assert remove_leftovers() == 2
    assert {name for name, uri in names.items() if (root / uri).exists()} == {"kept", "young"}
