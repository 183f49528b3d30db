"""The schema and its pages, without the internet."""

import re

import yaml
from django.contrib.staticfiles import finders
from django.test import Client

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


def test_the_page_loads_nothing_from_elsewhere(db: None) -> None:
    answer = Client().get("/api/v1/docs")
    page = answer.content.decode()
    assert "https://" not in page
    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(sources) >= 3
    for source in sources:
        if source.startswith("/static/"):
            assert finders.find(source.removeprefix("/static/")), source
    assert "<script>" not in page
    script = next(source for source in sources if "script" in source)
    assert Client().get(script.replace("&amp;", "&")).status_code == 200
