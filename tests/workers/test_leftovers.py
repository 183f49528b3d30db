"""Files of attempts that died before their commit are swept when a day old; whatever a row refers to stays."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from catalog import services
from catalog import storage as store
from registry.models import Checkpoint
from tenancy.scope import platform_scope
from tests.kit.domain import (
    foundation_lineage,
    hour,
    make_foundation_model,
    make_partition,
    make_stream,
    make_tenant,
)
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


@pytest.mark.django_db
def test_the_file_of_a_deletion_that_was_cut_short_goes_and_other_partitions_stay(storage):
    root = Path(storage.removeprefix("file://"))
    with platform_scope("test"):
        stream = make_stream(make_tenant())

        def partition(index, **fields):
            uri = store.partition_uri(tenant_id=stream.tenant_id, stream_id=stream.id, sha256=f"{index}" * 64)
            (root / uri).parent.mkdir(parents=True, exist_ok=True)
            (root / uri).write_bytes(b"x")
            then = (timezone.now() - timedelta(days=2)).timestamp()
            os.utime(root / uri, (then, then))
            return make_partition(stream, index, uri=uri, **fields)

        kept, deleted, young = partition(1), partition(2), partition(3)
        rejected = partition(4, state="rejected")
        os.utime(root / young.uri)
        for row in (deleted, young):
            # Killed before the file was removed: nobody calls `drop_file`.
            services.delete_partition(stream_id=stream.id, partition_id=row.id)
        export = root / f"tenants/{stream.tenant_id}/exports/1.zip"
        export.parent.mkdir()
        export.write_bytes(b"x")
        os.utime(export, (0, 0))
        assert remove_leftovers() == 2
    left = {row: (root / row.uri).exists() for row in (kept, deleted, young, rejected)}
    assert left == {kept: True, deleted: False, young: True, rejected: False}
    assert export.exists()
