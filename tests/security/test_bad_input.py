"""Bad input everywhere: each JSON value of each mutation, each query parameter of each read, and headers.

What can never be right is refused with 4xx and problem+json, and changes not one row. What may be right in some fields
(very long, reordering or look-alike text) is either taken or refused so; nothing is ever a 5xx.
"""

import copy
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from django.core.cache import cache
from django.db import connection
from django.db.models.deletion import ProtectedError
from django.test import Client

from api.base.errors import to_problem
from tenancy.ids import new_id
from tenancy.scope import platform_scope
from tests.kit import domain
from tests.kit.api import Api, problem
from tests.kit.cast import Cast
from tests.kit.proof import vouched
from tests.kit.roles import APP, PLATFORM, database_role
from tests.security.test_audit_rows import MUTATIONS, ROUTES, World
from tests.security.test_audit_rows import world as world

ROOT = Path(__file__).resolve().parents[2]
PARAMETERS = tuple(
    "id model_id run_id stream_id partition_id webhook_id delivery_id snapshot_id alias export_id".split()  # noqa: SIM905
)
HUGE = 10**400
ENDLESS = "__1e999__"
"""Stands for a number beyond every float, which Python's reader of JSON takes for infinity."""
MINUS_ZERO = "__-0.0__"

NEVER: dict[str, Any] = {
    "a null character": "a\0b",
    "a lone surrogate": "a\ud800b",
    "another JSON type": {"x": [1]},
    "a number without end": ENDLESS,
    "a huge number": HUGE,
    "deep nesting": "__deep__",
}
PERHAPS: dict[str, Any] = {
    "a reordering character": "gro.\u202eevil",
    "a look-alike": "p\u0430ypal",
    "an unnormalised letter": "e\u0301",
    "a very long text": "x" * 100_000,
    "nothing": None,
    "the other truth": True,
    "a negative number": -1,
    "minus zero": MINUS_ZERO,
    "markup": "<script>alert(1)</script>",
    "a path": "../../etc/passwd",
}


def leaves(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Return the way to every value that is neither object nor list."""
    if isinstance(body, dict):
        for name, value in body.items():
            yield from leaves(value, (*path, name))
    elif isinstance(body, list):
        for number, value in enumerate(body):
            yield from leaves(value, (*path, number))
    else:
        yield path


def replaced(body: Any, path: tuple[Any, ...], value: Any) -> bytes:
    """Return the body as JSON with another value at that place."""
    changed = copy.deepcopy(body)
    at = changed
    for part in path[:-1]:
        at = at[part]
    at[path[-1]] = value
    text = json.dumps(changed, default=str)
    text = (
        text.replace(f'"{ENDLESS}"', "1e999")
        .replace(f'"{MINUS_ZERO}"', "-0.0")
        .replace('"__deep__"', "[" * 5000 + "]" * 5000)
    )
    return text.encode()


def contents() -> dict[str, str]:
    """Return a digest of every table's rows; sessions and rate limits apart, which every request touches."""
    with database_role(PLATFORM), platform_scope("test"), connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
        tables = [name for (name,) in cursor.fetchall() if name not in ("tenancy_session", "django_session")]
        found = {}
        for table in tables:
            cursor.execute("SELECT has_table_privilege(%s, 'SELECT')", [table])
            if cursor.fetchone() == (True,):
                cursor.execute(f'SELECT md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM "{table}" t')
                found[table] = str(cursor.fetchone()[0])
        return found


def changed_since(before: dict[str, str]) -> list[str]:
    """Return the tables whose rows are not what they were."""
    return [table for table, digest in contents().items() if before[table] != digest]


def caller(world: World, name: str) -> Client:
    """Return a client in which somebody is signed in who may call the mutation."""
    client = Client(raise_request_exception=False)
    user = world.cast.admin if ROUTES[name].is_admins else world.cast.owner
    user.proof = vouched()
    client.force_login(user)
    return client


def send(client: Client, world: World, name: str, ids: dict[str, Any], body: bytes) -> Any:
    """Call the mutation with raw bytes."""
    route = ROUTES[name]
    cache.clear()
    with database_role(PLATFORM if route.is_admins else APP):
        path = route.path(world.cast.tenant.slug, **ids)
        return client.generic(route.method.upper(), path, body, content_type="application/json")


JSON_BODIES = sorted(
    name for name in MUTATIONS if not name.startswith("DELETE") and not name.endswith(("/partitions", "/infer"))
)
"""Mutations that take JSON, not a file."""


def wanted(world: World, name: str) -> tuple[dict[str, Any], Any]:
    """Return what the mutation is called with."""
    ids, body = MUTATIONS[name][0](world)
    return ids, json.loads(json.dumps(body, default=str))


@pytest.mark.parametrize("name", JSON_BODIES)
def test_what_can_never_be_right_is_refused_and_changes_nothing(name: str, world: World) -> None:
    ids, body = wanted(world, name)
    client = caller(world, name)
    before, wrong = contents(), []
    for path in leaves(body):
        for what, value in NEVER.items():
            answer = send(client, world, name, ids, replaced(body, path, value))
            if not 400 <= answer.status_code < 500 or answer.headers["Content-Type"] != "application/problem+json":
                wrong.append((path, what, answer.status_code, answer.content[:200]))
    assert wrong == []
    assert changed_since(before) == []


@pytest.mark.parametrize("name", JSON_BODIES)
def test_an_unknown_field_is_refused_by_its_name(name: str, world: World) -> None:
    ids, body = wanted(world, name)
    client = caller(world, name)
    before = contents()
    for unknown in ("colour", "a\0b", "\ud800", "__proto__", "x" * 10_000):
        answer = send(client, world, name, ids, replaced(body, (unknown,), 1))
        assert answer.status_code == 400, (unknown[:20], answer.status_code, answer.content[:300])
        if unknown == "colour":
            assert problem(answer, 400)["field"] == "colour"
    twice = json.dumps(body)[:-1] + (", " if body else "") + '"reason": "a", "reason": "b"}'
    problem(send(client, world, name, ids, twice.encode()), 400, "parse_error")
    assert changed_since(before) == []


NO_JSON: dict[str, tuple[str, str]] = {
    "not a number": ('{"reason": [1, NaN]', "NaN is no number of JSON: line 1 column 16 (char 15)"),
    "infinity": ('{\n"reason": -Infinity', "-Infinity is no number of JSON: line 2 column 11 (char 12)"),
    "beyond every float": ('{"reason": 1e999', "the number 1e999 is too large: line 1 column 12 (char 11)"),
    "5,000 digits": ('{"reason": ' + "7" * 5000, f"the number {'7' * 40}… is too large: line 1 column 12 (char 11)"),
    "a name twice": ('{"reason": 1, "reason": 2', 'an object names "reason" twice: line 1 column 15 (char 14)'),
    "half a character": (
        '{"reason": "\\\\ud800 \\ud83d\\ude00 \\ud800"',
        "a text holds half of an escaped pair (a lone surrogate): line 1 column 34 (char 33)",
    ),
    "100 deep": ('{"reason": ' + "[" * 100 + "]" * 100, "more than 64 levels of nesting: line 1 column 75 (char 74)"),
    "100,000 deep": (
        '{"reason": ' + '{"a":' * 100_000 + "1" + "}" * 100_000,
        "more than 64 levels of nesting: line 1 column 327 (char 326)",
    ),
}
"""The beginning of an object that a body's own fields may follow, and what is said of it."""


@pytest.mark.parametrize("name", JSON_BODIES)
def test_what_is_no_json_is_refused_with_its_place(name: str, world: World) -> None:
    ids, body = wanted(world, name)
    client = caller(world, name)
    before = contents()
    rest = json.dumps({key: value for key, value in body.items() if key != "reason"})[1:]
    rest = rest if rest == "}" else f", {rest}"
    asked = [((start + rest).encode(), said) for start, said in NO_JSON.values()]
    whole = json.dumps(body)
    asked += [
        (whole.encode("utf-8-sig"), "it begins with a byte order mark; send UTF-8 without one"),
        (whole.encode("utf-16"), "it begins with a byte order mark; send UTF-8 without one"),
        (whole.encode("utf-16-be"), "it is UTF-16 or UTF-32; send UTF-8"),
        (whole.encode() + b"\xed\xa0\x80", f"byte {len(whole)} (0xed) is not UTF-8"),
    ]
    for bytes_, said in asked:
        refused = problem(send(client, world, name, ids, bytes_), 400, "parse_error")
        assert refused["detail"] == f"The body is not valid JSON: {said}."
    assert changed_since(before) == []


@pytest.mark.parametrize("name", JSON_BODIES)
def test_odd_text_is_taken_or_refused_but_breaks_nothing(name: str, world: World) -> None:
    ids, body = wanted(world, name)
    client, wrong = caller(world, name), []
    for path in leaves(body):
        for what, value in PERHAPS.items():
            answer = send(client, world, name, ids, replaced(body, path, value))
            kind = answer.headers.get("Content-Type", "")
            if answer.status_code >= 500 or (answer.status_code >= 400 and kind != "application/problem+json"):
                wrong.append((path, what, answer.status_code, answer.content[:200]))
    assert wrong == []


DESCRIPTION = yaml.safe_load((ROOT / "docs/openapi.yaml").read_text())
READS = [
    (path, operation["operationId"], [p for p in operation.get("parameters", []) if p["in"] == "query"])
    for path, methods in DESCRIPTION["paths"].items()
    for method, operation in methods.items()
    if method == "get" and path.startswith("/api/v1/tenants/{tenant}/") and not path.endswith(("/events", "/metrics"))
]
QUERIES = {
    "a null character": "a%00b",
    "half a character": "%ED%A0%80",
    "a reordering character": quote("gro.\u202eevil"),
    "ten thousand values": ",".join(["x"] * 10_000),
    "a path": "..%2F..%2Fetc%2Fpasswd",
    "a number without end": "1e999",
}
SEARCHED = {"search", "name", "sha256", "actor", "target", "action", "target_type", "target_id", "request_id", "q"}
"""Parameters that any text fits, so that an odd one finds nothing."""


def test_no_query_parameter_breaks_a_read(world: World) -> None:
    api, wrong = Api(world.cast.owner, proof=vouched()), []
    api.client.raise_request_exception = False
    ids = {"tenant": world.cast.tenant.slug, "model_id": world.model.id, "run_id": world.run.id,
           "stream_id": world.model.stream_id, "webhook_id": world.webhook.id}  # fmt: skip
    asked = 0
    with database_role(APP):
        for path, name, parameters in READS:
            address = path.format_map({**dict.fromkeys(PARAMETERS, new_id()), **ids})
            for parameter in parameters:
                for what, value in QUERIES.items():
                    cache.clear()
                    answer = api.get(f"{address}?{parameter['name']}={value}")
                    asked += 1
                    allowed = {400, 404, 422} | (
                        {200} if parameter["name"] in SEARCHED and "null" not in what else set()
                    )
                    if answer.status_code not in allowed:
                        wrong.append((name, parameter["name"], what, answer.status_code))
                    elif answer.status_code != 200:
                        problem(answer, answer.status_code)
    assert wrong == []
    assert asked > 100


@pytest.mark.parametrize(
    ("header", "value", "status", "code"),
    [
        ("Idempotency-Key", "a\0b", 400, "idempotency_key_invalid"),
        ("Idempotency-Key", "sch\u00f6n", 400, "idempotency_key_invalid"),
        ("Idempotency-Key", "x" * 201, 400, "idempotency_key_invalid"),
        ("Authorization", "Bearer exfm_\0_x", 401, ""),
        ("Authorization", "Bearer \u00ff\u00fe", 401, ""),
        ("Authorization", "Bearer " + "x" * 100_000, 401, ""),
        ("Content-Encoding", "gzip", 400, ""),
        ("Accept", "\u202e/\0", 406, ""),
    ],
)
def test_headers_that_cannot_be_are_refused(header: str, value: str, status: int, code: str, world: World) -> None:
    client, before = caller(world, "POST tokens"), contents()
    body: bytes = json.dumps({"name": "x", "scopes": ["runs:read"]}).encode()
    if header == "Content-Encoding":
        body = gzip.compress(body * 1000)
    with database_role(APP):
        path = f"/api/v1/tenants/{world.cast.tenant.slug}/tokens"
        answer = client.post(path, body, content_type="application/json", headers={header: value})
    problem(answer, status, code)
    assert changed_since(before) == []


@pytest.mark.parametrize(
    "slug", ["%00", "%2e%2e", "%252e%252e", "..%2f..", "%5c%5chost%5cshare", "%ED%A0%80", "%E2%80%AE", "x" * 10_000]
)
def test_a_name_in_the_path_that_cannot_be_is_404(slug: str, cast: Cast) -> None:
    for address in (f"tenants/{slug}/models", f"tenants/{cast.tenant.slug}/models/{slug}",
                    f"tenants/{cast.tenant.slug}/models/{new_id()}/aliases/{slug}"):  # fmt: skip
        with database_role(APP):
            problem(Api(cast.owner).get(address), 404)


def test_what_is_in_use_is_not_deleted_and_the_answer_counts_what_uses_it(cast: Cast) -> None:
    with platform_scope("test"):
        stream = domain.make_stream(cast.tenant)
        for number in range(2):
            domain.make_partition(stream, number)
        domain.make_model(stream)
        with pytest.raises(ProtectedError) as caught:
            stream.delete()
        assert type(stream).objects.filter(id=stream.id).exists()
    refused = to_problem(caught.value)
    assert (refused.status, refused.code) == (409, "in_use")
    assert refused.detail == "This is still in use by 2 × partition, 1 × vertical model."
