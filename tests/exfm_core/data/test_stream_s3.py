"""Streams, storage and a whole training child on a real S3-compatible server."""

import queue
import uuid
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from exfm_core.data.encode import blocks, vertical_layout
from exfm_core.data.partitions import write_partition
from exfm_core.data.stream import Stream
from exfm_core.errors import DataError
from exfm_core.events import File, Partition, Start, VmDone, VmWork
from exfm_core.train.storage import Storage, StorageError
from tests.exfm_core.train import factories
from tests.kit.patience import PATIENCE
from workers.child import ChildProcess, Said

from . import s3

pytest.importorskip("s3fs", reason="the extra s3 is not installed")
pytest.importorskip("moto", reason="the S3 server of the tests is not installed")
pytestmark = pytest.mark.xdist_group("s3")


@pytest.fixture(scope="module")
def client() -> Iterator[dict[str, str]]:
    with s3.server() as variables, pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        fsspec.get_filesystem_class("s3").clear_instance_cache()
        yield variables
        fsspec.get_filesystem_class("s3").clear_instance_cache()


@pytest.fixture
def bucket(client: dict[str, str]) -> str:
    name = f"exfm-{uuid.uuid4().hex[:12]}"
    fsspec.filesystem("s3").mkdir(name)
    return f"s3://{name}/data"


def test_files_are_written_whole_and_verified_when_read(bucket: str) -> None:
    with Storage(bucket) as storage:
        file = storage.write("runs/r/1", 7, ".bin", b"hello")
        assert storage.write("runs/r/1", 7, ".bin", b"hello") == file
        assert storage.read(file) == b"hello"
        with storage.reading(file) as path:
            assert Path(path).read_bytes() == b"hello"
        assert not Path(path).exists()
        for wrong, code in ((File(file.uri, "0" * 64, 5), "changed"), (File("p/no", file.sha256, 5), "missing")):
            with pytest.raises(StorageError) as caught, storage.reading(wrong):
                pass
            assert caught.value.code == f"storage.{code}"
            with pytest.raises(StorageError):
                storage.read(wrong)


def test_a_stream_is_read_from_its_folder_and_from_its_manifest(bucket: str, tmp_path: Path) -> None:
    fs = fsspec.filesystem("s3")
    for period in (1, 2, 3):
        write_partition(tmp_path / "p", factories.rows(200, period), factories.schema())
        fs.put_file(str(tmp_path / "p"), f"{bucket}/hour-{period}.parquet")
    found = Stream.read(bucket)
    assert [part.rows for part in found] == [200] * 3
    Stream(found.partitions, factories.schema()).write_manifest(f"{bucket}/manifest.json")
    again = Stream.read(bucket)
    assert again.partitions == found.partitions and again.schema == factories.schema()
    layout = vertical_layout(factories.vertical().model, factories.schema())
    rows = sum(block.rows for part in again for block in blocks(part.open(), layout, 64))
    assert rows == again.rows == 600
    fs.pipe_file(f"{bucket}/hour-2.parquet", b"PAR1")
    with pytest.raises(DataError) as caught:
        again.partitions[1].open()
    assert caught.value.code == "stream.changed"
    fs.rm_file(f"{bucket}/hour-3.parquet")
    with pytest.raises(DataError) as caught:
        again.partitions[2].open()
    assert caught.value.code == "stream.missing"


def test_a_child_trains_from_s3_with_nothing_but_the_allowed_variables(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "not for children")
    made = factories.partition(tmp_path, 300, 1)
    fsspec.filesystem("s3").put_file(str(tmp_path / made.file.uri), f"{bucket}/{made.file.uri}")
    spec = factories.vertical()
    start = Start(
        job="vm.train", run="r", attempt=1, storage=bucket, prefix="runs/r/1", threads=1, progress_every=60.0,
        spec=spec.to_json(), schema=factories.schema().to_json(), arms=("control",),
    )  # fmt: skip
    inbox: queue.Queue[object] = queue.Queue()
    child = ChildProcess(job="vm.train", threads=1, inbox=inbox, storage=bucket)
    try:
        environment = Path(f"/proc/{child.pid}/environ").read_bytes()
        assert b"AWS_SECRET_ACCESS_KEY=exfm-secret" in environment and b"not for children" not in environment
        child.send(start)
        child.send(VmWork(1, Partition(made.id, made.file, made.rows, made.start, made.end)))
        event: object = None
        for _ in range(50):
            message = inbox.get(timeout=PATIENCE)
            assert isinstance(message, Said), child.log_tail
            event = message.event
            if isinstance(event, VmDone):
                break
        assert isinstance(event, VmDone) and event.rows == 300
        file = event.arms["control"].checkpoint
        with Storage(bucket) as storage:
            assert len(storage.read(file)) == file.bytes
    finally:
        child.end()
