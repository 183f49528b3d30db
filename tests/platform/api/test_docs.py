"""The schema and its pages, without the internet."""

import re
import sys

import jsonschema
import pytest
import yaml
from django.contrib.staticfiles import finders
from django.test import Client

from api.base.serializers import NOT_BLANK
from api.base.strict_json import JSONObject
from api.examples import EXAMPLES
from registry.serializers import RollbackSerializer
from tests.security.routes import all_routes


def test_the_schema_is_openapi_3_1_and_names_every_route(db: None) -> None:
    answer = Client().get("/api/v1/schema")
    assert answer.status_code == 200
    schema = yaml.safe_load(answer.content)
    assert schema["openapi"].startswith("3.1")
    described = {
        (method, re.sub(r"{[^}]+}", "{}", path)) for path, methods in schema["paths"].items() for method in methods
    }
    missing = [
        str(route)
        for route in all_routes()
        if route.view and (route.method, "/" + re.sub(r"<[^>]+>", "{}", route.pattern)) not in described
    ]
    assert missing == []
    assert ("get", "/api/v1/tenants/{}/events") in described


def test_every_route_answers_problems_and_has_an_operation_id_of_its_own(db: None) -> None:
    schema = yaml.safe_load(Client().get("/api/v1/schema").content)
    operations = [operation for methods in schema["paths"].values() for operation in methods.values()]
    assert all("application/problem+json" in operation["responses"]["default"]["content"] for operation in operations)
    ids = [operation["operationId"] for operation in operations]
    assert len(ids) == len(set(ids))


def test_a_text_that_may_not_be_blank_says_so_by_a_pattern_that_knows_the_same_white_space(db: None) -> None:
    schema = yaml.safe_load(Client().get("/api/v1/schema").content)
    reason = schema["components"]["schemas"]["RollbackRequest"]["properties"]["reason"]
    assert (reason["pattern"], reason["minLength"]) == (NOT_BLANK, 1)
    assert r"\s" not in NOT_BLANK.lower(), "Python's white space is not that of JavaScript, whose patterns these are"
    space = [chr(code) for code in range(sys.maxunicode + 1) if not re.search(NOT_BLANK, chr(code))]
    form = RollbackSerializer(data=JSONObject(reason="".join(space)))
    assert not form.is_valid()
    assert [error.code for error in form.errors["reason"]] == ["blank"]
    assert [chr(code) for code in range(sys.maxunicode + 1) if not chr(code).strip()] == space


@pytest.mark.parametrize(("address", "least"), [("docs", 3), ("redoc", 1)])
def test_the_page_loads_nothing_from_elsewhere(address: str, least: int, db: None) -> None:
    answer = Client().get(f"/api/v1/{address}")
    page = answer.content.decode()
    assert "https://" not in page
    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(sources) >= least
    for source in sources:
        if source.startswith("/static/"):
            assert finders.find(source.removeprefix("/static/")), source
    assert "<script>" not in page
    script = next((source for source in sources if "script" in source), "/api/v1/schema")
    assert Client().get(script.replace("&amp;", "&")).status_code == 200


def test_operation_ids_are_words_that_stay(db: None) -> None:
    """Clients are generated from them: each is given by hand, as thing and verb, never made from the address."""
    schema = yaml.safe_load(Client().get("/api/v1/schema").content)
    ids = [operation["operationId"] for methods in schema["paths"].values() for operation in methods.values()]
    assert [name for name in ids if not re.fullmatch(r"[a-z]+(_[a-z]+)+", name) or name.startswith("tenants_")] == []


def test_every_refusal_is_a_problem(db: None) -> None:
    schema = yaml.safe_load(Client().get("/api/v1/schema").content)
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            for status, answer in operation["responses"].items():
                if status == "default" or int(status) >= 400:
                    name = answer.get("$ref", "").removeprefix("#/components/responses/")
                    answer = schema["components"]["responses"][name] if name else answer
                    assert list(answer["content"]) == ["application/problem+json"], (path, method, status)
            if "/tenants/{tenant}/" in path and not path.endswith("/events"):
                assert {"401", "403", "404", "429"} <= set(operation["responses"]), (path, method)


def test_examples_are_what_the_description_takes(db: None) -> None:
    schema = yaml.safe_load(Client().get("/api/v1/schema").content)
    found = 0
    for methods in schema["paths"].values():
        for operation in methods.values():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            if "example" in content:
                found += 1
                jsonschema.validate(content["example"], {**content["schema"], "components": schema["components"]})
    assert found == len(EXAMPLES)
