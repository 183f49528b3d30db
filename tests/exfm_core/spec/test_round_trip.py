"""Specs survive JSON, and JSON that is not a spec is refused by name."""

import json
from typing import Any

import pytest

from exfm_core.spec import (
    Feature,
    FoundationModel,
    FoundationSpec,
    SpecError,
    StreamSchema,
    Supervision,
    Task,
    VerticalModel,
    VerticalSpec,
)


def schema() -> StreamSchema:
    return StreamSchema(
        features=(
            Feature("item_id", buckets=1000, catalogue="item_id"),
            Feature("recent", kind="sequence", buckets=1000, max_length=5),
            Feature("age", kind="dense", catalogue="age"),
            Feature("secret", buckets=10, catalogue="secret", privileged=True),
        ),
        tasks=(Task("click", "click", "clicked"),),
    )


def vertical(**model: Any) -> VerticalSpec:
    return VerticalSpec(model=VerticalModel(**{"features": ("item_id", "age"), "tasks": ("click",), **model}))


@pytest.mark.parametrize(
    "record",
    [
        schema(),
        vertical(),
        VerticalSpec(vertical().model, supervision=Supervision("strong"), seed=3),
        FoundationSpec(FoundationModel(features=schema().features, task_kinds=("click", "conversion"))),
    ],
)
def test_json_round_trip(record: Any) -> None:
    assert type(record).from_json(json.loads(json.dumps(record.to_json()))) == record


def test_unknown_field_is_named_with_its_path() -> None:
    data = vertical().to_json()
    data["model"]["dropout"] = 0.1
    with pytest.raises(SpecError, match=r"VerticalSpec.model has no field 'dropout'") as caught:
        VerticalSpec.from_json(data)
    assert caught.value.code == "spec.unknown_field"
    assert "embedding_dim" in caught.value.mend


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"seed": "0"}, "spec.wrong_type"),
        ({"seed": True}, "spec.wrong_type"),
        ({"model": []}, "spec.not_an_object"),
        ({"model": {"tasks": ["click"]}}, "spec.missing_field"),
        ({"model": {"tasks": ["click"], "features": "item_id"}}, "spec.wrong_type"),
        ({"model": {"tasks": ["click"], "features": ["x"], "backbone": "bert"}}, "spec.not_a_choice"),
        ({"schema_version": 3}, "spec.schema_version"),
        ({"schema_version": True}, "spec.schema_version"),
        ({"model": {"task": "click", "features": ["x"]}}, "spec.unknown_field"),
        ({"optimizer": {"weight_decay": 0.1}}, "spec.ignored_by_kernels"),
        ({"optimizer": {"max_norm": 1.0}}, "spec.ignored_by_kernels"),
    ],
)
def test_bad_json_is_refused(change: dict[str, Any], code: str) -> None:
    with pytest.raises(SpecError) as caught:
        VerticalSpec.from_json({**vertical().to_json(), **change})
    assert caught.value.code == code
    assert caught.value.mend


def test_whole_numbers_are_read_as_floats() -> None:
    data = vertical().to_json()
    data["optimizer"]["dense_lr"] = 1
    assert VerticalSpec.from_json(data).optimizer.dense_lr == 1.0
