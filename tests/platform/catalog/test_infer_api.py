"""A schema proposed over HTTP: any readable sample, and files that are meant to hurt."""

import io
import json
from typing import Any, get_args

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog import inference, serializers
from exfm_core.data.infer import Role
from exfm_core.data.sample import Format
from tests.kit.api import Api, problem
from tests.kit.cast import Cast
from tests.kit.cast import cast as cast

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_app", "storage")]

ROWS = [{"ts": 1_700_000_000 + n, "user_id": n % 7, "item_id": n % 90, "clicked": n % 2} for n in range(300)]


def send(cast: Cast, body: bytes, kind: str = "text/csv") -> Any:
    """POST a sample as the engineer."""
    address = f"/api/v1/tenants/{cast.tenant.slug}/streams/infer"
    return Api(cast.engineer).client.post(address, data=body, content_type=kind)


def csv(rows: list[dict[str, Any]] = ROWS) -> bytes:
    """Rows as CSV with a header."""
    return "\n".join([",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]).encode()


def parquet() -> bytes:
    """Rows as a Parquet file."""
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(ROWS), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("body", "kind", "format"),
    [
        (csv(), "text/csv", "csv"),
        (parquet(), "application/vnd.apache.parquet", "parquet"),
        ("\n".join(map(json.dumps, ROWS)).encode(), "application/x-ndjson", "json lines"),
    ],
)
def test_a_sample_becomes_a_schema_that_can_be_registered(cast: Cast, body: bytes, kind: str, format: str) -> None:
    answer = send(cast, body, kind)
    assert answer.status_code == 200, answer.content
    found = answer.json()
    assert (found["format"], found["rows"], found["whole"]) == (format, 300, True)
    roles = {column["name"]: column["role"] for column in found["columns"]}
    assert roles == {"ts": "event time", "user_id": "user key", "item_id": "categorical", "clicked": "label"}
    assert all(column["reason"] for column in found["columns"])
    made = Api(cast.engineer).post(
        f"tenants/{cast.tenant.slug}/streams", {"name": "inferred", "schema": found["schema"]}
    )
    assert made.status_code == 201, made.content


def test_the_api_names_the_roles_and_formats_of_the_core() -> None:
    assert [role for role, _ in serializers.COLUMN_ROLES] == list(get_args(Role))
    assert get_args(Format) == serializers.FORMATS


def test_a_file_that_lacks_a_label_is_told_so(cast: Cast) -> None:
    found = send(cast, csv([{"ts": row["ts"], "item_id": row["item_id"]} for row in ROWS])).json()
    assert found["schema"] is None
    assert any("label" in warning for warning in found["warnings"])


def test_what_cannot_be_read_names_the_row(cast: Cast) -> None:
    body = problem(send(cast, csv() + b"\n1700000900,3,4"), 422, "sample_unreadable")
    assert "Expected 4 columns, got 3: 1700000900,3,4" in body["detail"]
    assert "exfm-infer" not in body["detail"]
    problem(send(cast, b"PAR1" + b"\0" * 50), 422, "sample_unreadable")
    problem(send(cast, b"x" * ((16 << 20) + 1)), 413, "sample_too_large")
    problem(send(cast, b"{}", "application/json"), 415, "unsupported_media_type")


@pytest.mark.parametrize("codec", ["zstd", "gzip", "brotli"])
def test_a_file_that_swells_ends_its_reader_alone(cast: Cast, monkeypatch: pytest.MonkeyPatch, codec: str) -> None:
    monkeypatch.setattr(inference, "LIMIT_MEMORY_BYTES", 1 << 30)
    buffer = io.BytesIO()
    huge = pa.array(["x" * (400 << 20)])
    pq.write_table(pa.table({"ts": [1_700_000_000], "text": huge}), buffer, compression=codec)
    assert len(buffer.getvalue()) < 1 << 20
    body = send(cast, buffer.getvalue(), "application/octet-stream")
    assert body.status_code == 422, body.content
    assert problem(body, 422)["code"] in {"sample_given_up", "sample_unreadable"}


def test_a_reader_that_does_not_end_is_ended(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference, "LIMIT_SECONDS", 0.01)
    problem(send(cast, csv()), 422, "sample_given_up")
    monkeypatch.undo()
    assert send(cast, csv()).status_code == 200, "its turn has ended, too"


def test_a_tenant_has_one_turn_at_a_time(cast: Cast) -> None:
    with inference._turn(cast.tenant.id):
        answer = send(cast, csv())
        problem(answer, 429, "samples_busy")
        assert answer.headers["Retry-After"] == "5"
