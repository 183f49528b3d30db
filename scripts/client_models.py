"""Writes the Python client's types from the OpenAPI file: a TypedDict per object, a Literal per enum."""

import keyword
from pathlib import Path
from typing import Any

import yaml

HEAD = '''"""What the API sends and takes. Generated from docs/openapi.yaml by `make openapi`; not to be edited."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict
'''
PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
REFERENCE = "#/components/schemas/"


def generate(spec: Path) -> str:
    """Return the module's text."""
    schemas: dict[str, Any] = yaml.safe_load(spec.read_text(encoding="utf-8"))["components"]["schemas"]
    return "\n".join([HEAD, *(_definition(name, schemas[name]) for name in sorted(schemas))])


def _definition(name: str, schema: dict[str, Any]) -> str:
    if schema.get("type") != "object" or "properties" not in schema:
        return f"{name}: TypeAlias = {_type(schema)!r}\n"
    required = set(schema.get("required", ()))
    fields = {}
    for field, inner in schema["properties"].items():
        kind = _type(inner)
        fields[field] = kind if field in required else f"NotRequired[{kind}]"
    text = " ".join(str(schema.get("description", name)).split()).replace("\\", "\\\\").replace('"""', "'''")
    if len(text) > 105:
        text = text[:104].rsplit(" ", 1)[0] + " …"
    if any(not field.isidentifier() or keyword.iskeyword(field) for field in fields):
        inner = ", ".join(f'"{field}": "{kind}"' for field, kind in fields.items())
        return f'{name} = TypedDict("{name}", {{{inner}}})\n'
    lines = [f"\nclass {name}(TypedDict):", f'    """{text}"""', ""]
    lines += [f"    {field}: {kind}" for field, kind in fields.items()]
    return "\n".join(lines) + "\n"


def _type(schema: Any) -> str:
    """Return the Python type of a JSON Schema; what cannot be told apart is Any."""
    if not isinstance(schema, dict) or not schema:
        return "Any"
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(REFERENCE)
    if "const" in schema:
        return f"Literal[{schema['const']!r}]"
    if "enum" in schema:
        values = ", ".join(f'"{value}"' if isinstance(value, str) else repr(value) for value in schema["enum"])
        return f"Literal[{values}]" if values != "None" else "None"
    for union in ("oneOf", "anyOf"):
        if union in schema:
            return _union([_type(inner) for inner in schema[union]])
    if "allOf" in schema:
        return _type(schema["allOf"][0]) if len(schema["allOf"]) == 1 else "dict[str, Any]"
    kinds = schema.get("type")
    if isinstance(kinds, list):
        return _union([_type({**schema, "type": kind}) for kind in kinds])
    if kinds == "array":
        return f"list[{_type(schema.get('items'))}]"
    if kinds == "object":
        extra = schema.get("additionalProperties")
        return f"dict[str, {_type(extra) if isinstance(extra, dict) else 'Any'}]"
    return PLAIN.get(str(kinds), "Any")


def _union(kinds: list[str]) -> str:
    unique = list(dict.fromkeys(kinds))
    return "Any" if "Any" in unique else " | ".join(sorted(unique, key=lambda kind: kind == "None"))
