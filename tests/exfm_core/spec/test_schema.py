"""The JSON Schemas that forms are made of say what `from_json` takes."""

from typing import Any

import pytest

from exfm_core.spec import Attention, FoundationSpec, Record, StreamSchema, VerticalModel, VerticalSpec

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


def valid(value: Any, told: dict[str, Any], defs: dict[str, Any]) -> bool:
    """A small validator of the parts of JSON Schema that are used here."""
    if "$ref" in told:
        return valid(value, defs[told["$ref"].rsplit("/", 1)[1]], defs)
    if "anyOf" in told:
        return any(valid(value, option, defs) for option in told["anyOf"])
    if "enum" in told or "const" in told:
        return value in told.get("enum", [told.get("const")])
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "null": type(None)}
    if told["type"] == "boolean":
        return isinstance(value, bool)
    if not isinstance(value, kinds[told["type"]]):
        return False
    if isinstance(value, dict):
        known = told["properties"]
        return set(told["required"]) <= set(value) <= set(known) and all(
            valid(item, known[name], defs) for name, item in value.items()
        )
    if isinstance(value, list):
        return all(valid(item, told["items"], defs) for item in value)
    low = told.get("minimum", told.get("exclusiveMinimum"))
    return low is None or low <= value <= told["maximum"]


DIN = VerticalModel(("a", "b"), ("click",), "din", attention=(Attention("a", "b"),))


@pytest.mark.parametrize(
    "record",
    [
        vertical(),
        VerticalSpec(DIN),
        schema(),
        FoundationSpec.from_json({"model": {"features": [{"name": "a", "buckets": 4}]}}),
    ],
)
def test_what_a_record_writes_fits_its_schema(record: Record) -> None:
    told = record.json_schema()
    body = record.to_json()
    assert valid(body, told, told["$defs"])
    assert not valid({**body, "colour": 1}, told, told["$defs"])
