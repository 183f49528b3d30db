"""The JSON Schemas that forms are made of say what `from_json` takes."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from exfm_core.spec import (
    Attention,
    FoundationModel,
    FoundationSpec,
    Record,
    SpecError,
    StreamSchema,
    VerticalModel,
    VerticalSpec,
)

from .test_round_trip import schema, vertical


def test_a_vertical_spec() -> None:
    told = VerticalSpec.json_schema()
    assert told["$schema"].endswith("2020-12/schema") and told["required"] == ["model"]
    model = told["$defs"]["VerticalModel"]["properties"]
    assert told["properties"]["model"]["$ref"] == "#/$defs/VerticalModel"
    assert model["backbone"]["enum"] == ["dcnv2", "dlrm", "deepfm", "mmoe", "din"]
    assert model["experts"] == {
        "title": "Experts",
        "type": "integer",
        "minimum": 1,
        "maximum": 64,
        "description": "MLPs that the tasks of mmoe share",
        "default": 4,
    }
    assert model["tasks"]["items"]["pattern"] == "^[a-z][a-z0-9_]{0,62}$"
    assert model["mlp"]["default"] == [64, 32] and model["mlp"]["items"]["maximum"] == 8192
    assert told["$defs"]["Optimizer"]["properties"]["dense_lr"]["exclusiveMinimum"] == 0.0
    assert told["$defs"]["Attention"]["required"] == ["sequence", "target"]
    assert told["properties"]["schema_version"]["const"] == 2


def test_optional_texts_and_descriptions() -> None:
    told = StreamSchema.json_schema()
    assert told["properties"]["user_key"]["anyOf"] == [{"type": "string"}, {"type": "null"}]
    assert "columns of a stream" in told["description"]


def valid(value: Any, told: dict[str, Any]) -> bool:
    return bool(Draft202012Validator(told).is_valid(value))


DIN = VerticalModel(("a", "b"), ("click",), "din", attention=(Attention("a", "b"),))
RECORDS = [
    vertical(),
    VerticalSpec(DIN),
    schema(),
    FoundationSpec(FoundationModel(schema().features, ("click",), "wukong", sequence_encoder="attention")),
]


@pytest.mark.parametrize("record", RECORDS)
def test_what_a_record_writes_fits_its_schema(record: Record) -> None:
    told, body = record.json_schema(), record.to_json()
    Draft202012Validator.check_schema(told)
    assert valid(body, told)
    assert not valid({**body, "colour": 1}, told)
    assert valid(json.loads(json.dumps(told))["properties"], {"type": "object"}), "the schema is JSON itself"


@pytest.mark.parametrize(
    ("part", "field", "value"),
    [
        ("optimizer", "batch_size", 0),
        ("optimizer", "dense_lr", 0.0),
        ("optimizer", "embedding_lr", 10.5),
        ("optimizer", "weight_decay", 0.1),
        ("supervision", "w", -1.0),
        ("supervision", "preset", "wild"),
        ("supervision", "aux_width", 4096),
        ("model", "embedding_dim", 513),
        ("model", "mlp", [0]),
        ("model", "tasks", ["Click"]),
        ("model", "tasks", "click"),
        ("model", "backbone", "wukong"),
        ("model", "experts", 65),
        ("model", "cross_layers", 9),
        ("model", "head_width", 0),
        ("model", "attention", [{"sequence": "a"}]),
    ],
)
def test_schema_and_decoder_refuse_the_same(part: str, field: str, value: object) -> None:
    body = vertical().to_json()
    body[part] |= {"preset": "custom"} if part == "supervision" else {}
    assert valid(body, VerticalSpec.json_schema())
    body[part] = {**body[part], field: value}
    assert not valid(body, VerticalSpec.json_schema())
    with pytest.raises(SpecError):
        VerticalSpec.from_json(body)
