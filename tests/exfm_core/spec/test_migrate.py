"""What older releases stored still means the same: version 1 of every document is read as version 2."""

from typing import Any

import pytest

from exfm_core.spec import Feature, FoundationSpec, SpecError, StreamSchema, VerticalSpec
from exfm_core.spec.migrate import vertical_model

VERTICAL_1: dict[str, Any] = {
    "model": {
        "features": ["item_id", "age"],
        "task": "click",
        "backbone": "dlrm",
        "embedding_dim": 8,
        "mlp": [64, 32],
        "cross_layers": 1,
        "head_width": 16,
    },
    "optimizer": {"batch_size": 64, "dense_lr": 0.002, "embedding_lr": 0.1},
    "supervision": {
        "preset": "strong",
        "alpha": 1.0,
        "beta": 1.0,
        "w": 1.0,
        "w_sa": 0.0,
        "w_kd": 1.0,
        "beta_sa": 1.0,
        "aux_width": 128,
        "adapter_width": 16,
    },
    "seed": 4,
    "schema_version": 1,
}
"""As version 1 of the platform stored it."""
FEATURE_1 = {
    "name": "item_id",
    "kind": "categorical",
    "buckets": 10,
    "hashed": True,
    "max_length": 0,
    "catalogue": "item_id",
    "privileged": False,
}


def test_version_1_of_a_vertical_spec() -> None:
    spec = VerticalSpec.from_json(VERTICAL_1)
    assert (spec.model.tasks, spec.model.task, spec.schema_version) == (("click",), "click", 2)
    assert (spec.model.backbone, spec.optimizer.batch_size, spec.supervision.w_kd, spec.seed) == ("dlrm", 64, 1.0, 4)
    assert VerticalSpec.from_json(spec.to_json()) == spec
    assert VERTICAL_1["model"]["task"] == "click", "the document that was handed in stays as it was"


def test_a_document_without_a_version_is_known_by_its_task() -> None:
    body = {"model": {"features": ["item_id"], "task": "click"}}
    assert VerticalSpec.from_json(body) == VerticalSpec.from_json(
        {"model": {"features": ["item_id"], "tasks": ["click"]}}
    )


def test_version_1_of_a_foundation_spec_and_a_schema() -> None:
    model = {"features": [FEATURE_1], "task_kinds": ["click"], "backbone": "dcnv2", "mlp": [16], "tenant_slots": 4}
    spec = FoundationSpec.from_json({"model": model, "schema_version": 1})
    assert (spec.model.sequence_encoder, spec.schema_version) == ("mean", 2)
    assert spec.model.features == (Feature("item_id", buckets=10, catalogue="item_id"),)
    task = {"name": "click", "kind": "click", "label": "clicked"}
    stored = {"features": [FEATURE_1], "tasks": [task], "event_time": "event_time", "user_key": None}
    assert not StreamSchema.from_json(stored).features[0].managed


def test_the_shape_alone_is_read_from_either_version() -> None:
    old = VERTICAL_1["model"]
    assert vertical_model(old)["tasks"] == ["click"] and "task" not in vertical_model(old)
    assert vertical_model(vertical_model(old)) == vertical_model(old)


@pytest.mark.parametrize("version", [0, 3, "1", True, None])
def test_other_versions_are_refused(version: object) -> None:
    with pytest.raises(SpecError, match="reads 1 and 2") as caught:
        VerticalSpec.from_json({**VERTICAL_1, "schema_version": version})
    assert caught.value.code == "spec.schema_version"


def test_version_2_has_no_field_task() -> None:
    with pytest.raises(SpecError, match="no field 'task'"):
        VerticalSpec.from_json({**VERTICAL_1, "schema_version": 2})
