"""Label sets carry their provenance and fit one file only."""

import io
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from exfm_core.das.labels import Provenance, read_labels, write_labels
from exfm_core.errors import DataError

SAID = Provenance("snapshot", "a" * 64, "2026-01-01T00:00:00+00:00", "part", "b" * 64, 3, "2026-01-02T00:00:00+00:00")
LOGITS = {"click": np.array([0.5, np.nan, -2.0], np.float32), "like": np.zeros(3, np.float32)}


def test_round_trip_keeps_bits_gaps_and_provenance() -> None:
    data = write_labels(LOGITS, SAID)
    for kind, expected in LOGITS.items():
        found, provenance = read_labels(io.BytesIO(data), kind, SAID.partition_sha256)
        assert np.array_equal(found, expected, equal_nan=True)
        assert found.dtype == np.float32
        assert provenance == SAID


def test_one_float_column_per_head() -> None:
    schema = pq.read_schema(io.BytesIO(write_labels(LOGITS, SAID)))
    assert [(field.name, str(field.type)) for field in schema] == [("click", "float"), ("like", "float")]


@pytest.mark.parametrize(
    ("kind", "sha256", "code"),
    [("love", SAID.partition_sha256, "labels.no_head"), ("click", "c" * 64, "labels.other_partition")],
)
def test_what_does_not_fit_is_refused(kind: str, sha256: str, code: str) -> None:
    with pytest.raises(DataError) as caught:
        read_labels(io.BytesIO(write_labels(LOGITS, SAID)), kind, sha256)
    assert caught.value.code == code


@pytest.mark.parametrize("cut", [0, 10, -20])
def test_damage_is_refused(cut: int) -> None:
    with pytest.raises(DataError) as caught:
        read_labels(io.BytesIO(write_labels(LOGITS, SAID)[:cut]), "click", SAID.partition_sha256)
    assert caught.value.code == "labels.damaged"


def test_same_logits_same_bytes() -> None:
    assert write_labels(LOGITS, SAID) == write_labels(LOGITS, replace(SAID))
