"""Files are whole, durable, never overwritten, and checked when read."""

from pathlib import Path

import pytest

from exfm_core.events import File
from exfm_core.train.storage import Storage, StorageError


@pytest.mark.parametrize("scheme", ["file", "memory"])
def test_write_and_read(tmp_path: Path, scheme: str) -> None:
    with Storage(f"{scheme}://{tmp_path}") as storage:
        file = storage.write("runs/r/1", 7, ".bin", b"hello")
        assert file.uri == f"runs/r/1/7-{file.sha256}.bin"
        assert storage.write("runs/r/1", 7, ".bin", b"hello") == file
        assert storage.read(file) == b"hello"
        with storage.reading(file) as path:
            assert Path(path).read_bytes() == b"hello"


@pytest.mark.parametrize("scheme", ["file", "memory"])
def test_wrong_or_missing_bytes_are_refused(tmp_path: Path, scheme: str) -> None:
    with Storage(f"{scheme}://{tmp_path}") as storage:
        file = storage.write("p", 1, ".bin", b"hello")
        lie = File(file.uri, "0" * 64, 5)
        absent = File("p/none.bin", file.sha256, 5)
        for wrong, code in ((lie, "storage.changed"), (absent, "storage.missing")):
            with pytest.raises(StorageError) as caught:
                storage.read(wrong)
            assert caught.value.code == code
            with pytest.raises(StorageError) as caught, storage.reading(wrong):
                pass
            assert caught.value.code == code


def test_leaves_no_scratch_files(tmp_path: Path) -> None:
    with Storage(f"file://{tmp_path}") as storage:
        storage.write("p", 1, ".bin", b"hello")
    assert len(list((tmp_path / "p").iterdir())) == 1
