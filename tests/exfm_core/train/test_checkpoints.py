"""Checkpoints restore every bit, and damaged or foreign ones are refused with the place."""

import json
from pathlib import Path

import pytest
import torch

from exfm_core.errors import CheckpointError
from exfm_core.spec import BACKBONES, StreamSchema
from exfm_core.train.checkpoints import load_student, save_student
from exfm_core.train.tensors import pack, unpack
from exfm_core.train.vertical import VerticalTrainer
from tests.exfm_core.train.factories import Written, partition, schema, vertical

IDENTITY = {"spec": vertical().to_json()}


def trainer(backbone: str = "dcnv2") -> VerticalTrainer:
    return VerticalTrainer(vertical(backbone=backbone), schema(), ("control", "treatment"))


def train(built: VerticalTrainer, root: Path, part: Written) -> None:
    import numpy as np

    logits = np.random.default_rng(part.rows).normal(size=part.rows).astype(np.float32)
    built.train(root / part.file.uri, part.rows, logits, gate_open=True)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_two_partitions_straight_or_resumed_are_bit_identical(tmp_path: Path, backbone: str) -> None:
    parts = [partition(tmp_path, 300 + t, t) for t in range(2)]
    straight = trainer(backbone)
    train(straight, tmp_path, parts[0])
    saved = {arm: save_student(student, IDENTITY, {"rows": 300}) for arm, student in straight.students.items()}
    train(straight, tmp_path, parts[1])
    resumed = trainer(backbone)
    for arm, student in resumed.students.items():
        assert load_student(student, saved[arm], IDENTITY) == {"rows": 300}
        assert save_student(student, IDENTITY, {"rows": 300}) == saved[arm]
    train(resumed, tmp_path, parts[1])
    for arm, student in resumed.students.items():
        assert save_student(student, IDENTITY, {}) == save_student(straight.students[arm], IDENTITY, {})


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    part = partition(tmp_path, 300, 1)
    saved = []
    for _ in range(2):
        built = trainer()
        train(built, tmp_path, part)
        saved.append(save_student(built.students["treatment"], IDENTITY, {}))
    assert saved[0] == saved[1]


def test_another_spec_is_refused_by_name() -> None:
    built = trainer()
    data = save_student(built.students["control"], IDENTITY | {"arm": "control"}, {})
    with pytest.raises(CheckpointError, match="arm"):
        load_student(built.students["treatment"], data, IDENTITY | {"arm": "treatment"})


def test_damage_is_refused() -> None:
    built = trainer()
    data = save_student(built.students["control"], IDENTITY, {})
    for broken in (b"", b"x" * 100, data[:-5], data[: len(data) // 2]):
        with pytest.raises(CheckpointError) as caught:
            load_student(built.students["control"], broken, IDENTITY)
        assert caught.value.code == "checkpoint.damaged"
        assert caught.value.mend


def test_a_missing_or_misshapen_tensor_is_named() -> None:
    built = trainer()
    student = built.students["control"]
    record, tensors = unpack(save_student(student, IDENTITY, {}), "checkpoint")
    del record["kind"], record["format"]
    tensors["net.serving.logit.bias"] = torch.zeros(2)
    with pytest.raises(CheckpointError, match=r"net\.serving\.logit\.bias"):
        load_student(student, pack("checkpoint", record, tensors), IDENTITY)


def test_another_kind_of_file_is_refused() -> None:
    with pytest.raises(CheckpointError, match="snapshot"):
        unpack(pack("snapshot", {}, {"a": torch.zeros(1)}), "checkpoint")


def test_identity_survives_json() -> None:
    stored = json.loads(json.dumps({"schema": schema().to_json()}))
    assert StreamSchema.from_json(stored["schema"]) == schema()


def test_a_lineage_of_version_1_goes_on_under_its_migrated_spec(tmp_path: Path) -> None:
    """What version 1 wrote: one `task`, no field that came later, also in the schema's features."""
    spec = vertical().to_json() | {"schema_version": 1}
    spec["model"] = {k: v for k, v in spec["model"].items() if k not in ("tasks", "experts", "attention")}
    spec["model"]["task"] = "click"
    spec["supervision"] = {k: v for k, v in spec["supervision"].items() if k != "w_single"}
    columns = schema().to_json()
    columns["features"] = [{k: v for k, v in f.items() if k != "managed"} for f in columns["features"]]
    built = trainer()
    train(built, tmp_path, partition(tmp_path, 200, 0))
    old = save_student(built.students["treatment"], {"spec": spec, "schema": columns, "arm": "treatment"}, {"rows": 9})
    today = {"spec": vertical().to_json(), "schema": schema().to_json(), "arm": "treatment"}
    assert load_student(trainer().students["treatment"], old, today) == {"rows": 9}
    with pytest.raises(CheckpointError, match="its spec differ"):
        load_student(trainer().students["treatment"], old, today | {"spec": vertical(seed=4).to_json()})
