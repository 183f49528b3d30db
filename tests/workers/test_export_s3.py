"""Exports on a real S3-compatible server: written in one stream, read in parts, gone where they fail or are removed."""

import hashlib
import io
import os
import zipfile
from collections.abc import Iterator
from typing import Any

import fsspec
import pytest
from django.core.cache import cache

from catalog import storage as store
from tenancy import export_work
from tenancy.scope import platform_scope
from tests.exfm_core.data import s3
from tests.kit import domain
from tests.kit.api import Api
from tests.kit.cast import make_cast
from workers import exporting

pytest.importorskip("s3fs", reason="the extra s3 is not installed")
pytest.importorskip("moto", reason="the S3 server of the tests is not installed")
pytestmark = [pytest.mark.xdist_group("s3"), pytest.mark.django_db]


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """The address of a bucket."""
    with s3.server() as variables, pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        fsspec.filesystem("s3", skip_instance_cache=True).mkdir("exports")
        yield "s3://exports"


def test_an_export_in_an_object_store(
    bucket: str, settings: Any, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    settings.STORAGE_URL = bucket
    cache.clear()
    cast = make_cast()
    data = os.urandom(6 << 20)
    uri = f"tenants/{cast.tenant.id}/1.parquet"
    with store.writing(uri) as file:
        file.write(data)
    with platform_scope("test"):
        sha256 = hashlib.sha256(data).hexdigest()
        domain.make_partition(domain.make_stream(cast.tenant), uri=uri, sha256=sha256, bytes=len(data))
    api, address = Api(cast.owner), f"tenants/{cast.tenant.slug}/exports"
    assert api.post(address, {"include": ["partitions"]}).status_code == 202
    assert exporting.export_next()
    (row,) = api.get(address).json()["results"]
    assert (row["state"], row["missing"]) == ("done", 0), row
    whole = b"".join(api.get(f"{address}/{row['id']}/download").streaming_content)
    assert hashlib.sha256(whole).hexdigest() == row["sha256"]
    part = api.get(f"{address}/{row['id']}/download", Range=f"bytes={5 << 20}-")
    assert (part.status_code, b"".join(part.streaming_content)) == (206, whole[5 << 20 :])
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        (name,) = (name for name in archive.namelist() if name.startswith("partitions/"))
        assert archive.read(name) == data
    with django_capture_on_commit_callbacks(execute=True):
        assert api.delete(f"{address}/{row['id']}").status_code == 204
    monkeypatch.setenv("EXFM_EXPORT_MAX_BYTES", str(len(data)))
    assert api.post(address, {"include": ["partitions"]}).status_code == 202
    assert exporting.export_next()
    assert api.get(address).json()["results"][0]["state"] == "failed"
    fs = fsspec.filesystem("s3", skip_instance_cache=True)
    assert not fs.exists(f"exports/{export_work.folder(cast.tenant.id)}")
