"""Receiving a partition's file: bounded, hashed, whole or not at all."""

import hashlib
import io
from pathlib import Path

import pytest
from django.utils import timezone

from catalog import selectors, services, storage
from catalog.models import Partition, Stream
from tenancy.errors import DomainError
from tenancy.scope import platform_scope
from tests.kit import domain
from tests.kit.domain import hour

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage")]

BODY = b"PAR1" + b"x" * 3_000_000


def files(url: str) -> list[Path]:
    """All files in the store."""
    return [path for path in Path(url.removeprefix("file://")).rglob("*") if path.is_file()]


def receive(
    stream: Stream, body: bytes = BODY, start: int = 0, end: int = 1, declared: str = ""
) -> tuple[Partition, bool]:
    """Receive a body as the upload view does."""
    with storage.receive(io.BytesIO(body), declared=declared) as received:
        return services.receive_partition(stream_id=stream.id, start=hour(start), end=hour(end), received=received)


@pytest.fixture
def stream():
    with platform_scope("test"):
        yield domain.make_stream(domain.make_tenant())


def test_a_file_is_kept_under_its_hash(stream: Stream, storage: str) -> None:
    partition, new = receive(stream)
    assert new
    assert partition.state == "uploaded"
    assert partition.sha256 == hashlib.sha256(BODY).hexdigest()
    (path,) = files(storage)
    assert path.read_bytes() == BODY
    assert str(path).endswith(f"tenants/{stream.tenant_id}/streams/{stream.id}/{partition.sha256}.parquet")
    assert str(path).endswith(partition.uri)


def test_the_same_content_again_is_the_same_partition(stream: Stream, storage: str) -> None:
    first, _ = receive(stream)
    again, new = receive(stream)
    assert not new
    assert again.id == first.id
    assert len(files(storage)) == 1


def test_the_future_is_refused(stream: Stream, storage: str) -> None:
    ahead = int((timezone.now() - hour(0)).total_seconds() // 3600) + 25
    with pytest.raises(DomainError) as caught:
        receive(stream, start=ahead, end=ahead + 1)
    assert (caught.value.code, files(storage)) == ("interval_in_future", [])


def test_a_rejected_file_takes_no_room(stream: Stream, storage: str) -> None:
    first, _ = receive(stream)
    other, _ = receive(stream, start=1, end=2)
    services.reject(partition_id=first.id, problems=[{"message": "no Parquet file"}])
    assert len(files(storage)) == 1, "another partition has the same content"
    services.reject(partition_id=other.id, problems=[{"message": "no Parquet file"}])
    assert files(storage) == []


@pytest.mark.parametrize(("start", "end"), [(0, 1), (0, 3), (1, 2), (-1, 1)])
def test_an_overlap_is_refused_and_names_the_interval(stream: Stream, storage: str, start: int, end: int) -> None:
    receive(stream, start=0, end=2)
    with pytest.raises(DomainError) as caught:
        receive(stream, b"PAR1other", start, end)
    assert (caught.value.code, caught.value.status) == ("partition_overlap", 409)
    assert hour(0).isoformat() in caught.value.message
    assert len(files(storage)) == 1


def test_neighbours_do_not_overlap(stream: Stream) -> None:
    receive(stream, start=1, end=2)
    assert receive(stream, b"a", 0, 1)[1]
    assert receive(stream, b"b", 2, 3)[1]


def test_a_wrong_hash_keeps_nothing(stream: Stream, storage: str) -> None:
    with pytest.raises(DomainError) as caught:
        receive(stream, declared="0" * 64)
    assert caught.value.code == "wrong_hash"
    assert hashlib.sha256(BODY).hexdigest() in caught.value.message
    assert files(storage) == []


def test_a_malformed_hash_is_refused(stream: Stream) -> None:
    with pytest.raises(DomainError) as caught:
        receive(stream, declared="not-a-hash")
    assert caught.value.code == "malformed_hash"


def test_a_body_over_the_limit_keeps_nothing(stream: Stream, storage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXFM_UPLOAD_MAX_BYTES", "2000000")
    with pytest.raises(DomainError) as caught:
        receive(stream)
    assert (caught.value.code, caught.value.status) == ("partition_too_large", 413)
    assert "2,000,000" in caught.value.message
    assert files(storage) == []


def test_a_body_that_ends_early_is_refused(stream: Stream, storage: str) -> None:
    """As it does under WSGI where the connection breaks; nobody need have declared its hash."""
    with (
        pytest.raises(DomainError, match="after 9 of 10 bytes") as caught,
        services.storage.receive(io.BytesIO(b"x" * 9), length=10),
    ):
        raise AssertionError("kept")
    assert (caught.value.code, caught.value.status) == ("body_cut_short", 400)
    with services.storage.receive(io.BytesIO(b"x" * 10), length=10) as received:
        assert received.bytes == 10
    assert files(storage) == []


def test_an_empty_body_is_refused(stream: Stream, storage: str) -> None:
    with pytest.raises(DomainError, match="no body"):
        receive(stream, b"")
    assert files(storage) == []


def test_a_body_that_breaks_off_keeps_nothing(stream: Stream, storage: str) -> None:
    class Broken:
        left = 3

        def read(self, size: int) -> bytes:
            self.left -= 1
            if not self.left:
                raise ConnectionError("the client went away")
            return b"x" * size

    with pytest.raises(ConnectionError), services.storage.receive(Broken()):
        pass
    assert files(storage) == []


def test_the_storage_quota_holds(stream: Stream, storage: str) -> None:
    from budgets.services import set_quota

    set_quota(tenant=stream.tenant, quota={"storage_bytes": len(BODY) + 10}, reason="test")
    receive(stream)
    with pytest.raises(DomainError) as caught:
        receive(stream, b"x" * 11, 1, 2)
    assert (caught.value.code, caught.value.status) == ("storage_quota", 403)
    assert "3,000,004 of 3,000,014" in caught.value.message
    receive(stream, b"x" * 10, 1, 2)


def test_an_empty_interval_is_refused(stream: Stream) -> None:
    with pytest.raises(DomainError, match="start must be before end"):
        receive(stream, start=1, end=1)


def test_the_admission_says_no_before_the_body_is_read(stream: Stream) -> None:
    partition, _ = receive(stream)
    known = services.admit_upload(
        stream_id=stream.id, start=hour(0), end=hour(1), sha256=partition.sha256, bytes=partition.bytes
    )
    assert known == partition
    with pytest.raises(DomainError, match="overlaps"):
        services.admit_upload(stream_id=stream.id, start=hour(0), end=hour(2), sha256="", bytes=0)
    with pytest.raises(DomainError, match="larger than"):
        services.admit_upload(stream_id=stream.id, start=hour(5), end=hour(6), sha256="", bytes=1 << 40)
    assert services.admit_upload(stream_id=stream.id, start=hour(5), end=hour(6), sha256="", bytes=5) is None


def test_waiting_uploads_are_found_by_the_sweep(stream: Stream) -> None:
    from datetime import timedelta

    partition, _ = receive(stream)
    assert selectors.unvalidated(older_than=timedelta(0)) == [(partition.id, stream.tenant_id)]
    assert selectors.unvalidated(older_than=timedelta(minutes=1)) == []
