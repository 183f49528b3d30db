"""Fixed statements are planned once for a connection, and answer each role, tenant and value as if they were not."""

import importlib.util
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import NotSupportedError, ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from tenancy import questions
from tenancy.questions import Question, ask
from tenancy.scope import owned, platform_scope, tenant_scope
from tests.kit import domain
from tests.kit.cast import Cast
from tests.kit.roles import APP, OWNER, PLATFORM, database_role

pytestmark = pytest.mark.django_db
RUNS_UNTIL_A_PLAN_IS_KEPT = 5
"""PostgreSQL plans a prepared statement anew so often before it considers one plan for all values."""


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Begin and end with a connection that has prepared nothing."""
    questions._prepared.clear()
    yield
    questions._prepared.clear()


def kept() -> dict[str, int]:
    """Return the statements that the connection keeps, and how often one plan for all values was used."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, generic_plans FROM pg_prepared_statements WHERE name LIKE 'fixed%'")
        found = dict(cursor.fetchall())
    return {name: found[name] for names in questions._prepared.values() for name in names.values()}


def named(tenant_id: uuid.UUID | None) -> list[list[tuple[Any, ...]]]:
    statement = f"SELECT tenant_id, name FROM catalog_stream WHERE {owned('tenant_id')} ORDER BY name"
    return ask(Question(statement, {"tenant": tenant_id} if tenant_id else {}, fixed=True))


def test_one_plan_serves_every_tenant_and_role_with_its_own_rows(cast: Cast) -> None:
    with database_role(PLATFORM), platform_scope("test"):
        streams = {tenant: domain.make_stream(tenant) for tenant in (cast.tenant, cast.elsewhere)}
    everything = Question("SELECT id FROM catalog_stream ORDER BY id", {}, fixed=True)
    both = [(stream.id,) for stream in sorted(streams.values(), key=lambda stream: stream.id)]
    for _ in range(RUNS_UNTIL_A_PLAN_IS_KEPT + 2):
        for tenant, user in ((cast.tenant, cast.owner), (cast.elsewhere, cast.stranger)):
            with database_role(APP), tenant_scope(tenant.id, user.id):
                own = streams[tenant]
                assert named(tenant.id) == [[(tenant.id, own.name)]]
                assert ask(everything) == [[(own.id,)]]
        with database_role(APP), transaction.atomic():
            assert ask(everything) == [[]]
        with database_role(PLATFORM), platform_scope("test"):
            assert len(named(None)[0]) == 2
            assert ask(everything) == [both]
    assert len(kept()) == 3 and all(used > 0 for used in kept().values())


def test_values_of_every_type_arrive_as_they_are() -> None:
    moment, one = datetime(2026, 2, 28, 23, 59, 59, 999999, tzinfo=UTC), uuid.uuid4()
    values = {
        "number": 2**40, "share": 0.1, "money": Decimal("12345678.000001"), "text": "it's; %s 100% \\ $1 ü", "id": one,
        "moment": moment, "flag": True, "ids": [one], "words": ["a", "b;c"], "nothing": None,
    }  # fmt: skip
    statement = (
        "SELECT %(number)s, %(share)s, %(money)s, %(text)s, %(id)s, %(moment)s - interval '0', %(flag)s, %(ids)s,"
        " %(words)s, %(nothing)s::text, %(number)s, '100%%'"
    )
    expected = [(*values.values(), 2**40, "100%")]
    for _ in range(2):
        assert ask(Question(statement, values, fixed=True)) == [expected]
    assert ask(Question("SELECT %s + %s", [1, 2], fixed=True)) == [[(3,)]]


def test_several_go_in_one_round_trip_once_they_are_prepared() -> None:
    asked = [
        Question("SELECT %(a)s", {"a": 1}, fixed=True),
        Question("SELECT %s", [2]),
        Question("SELECT 3", {}, fixed=True),
    ]
    assert ask(*asked) == [[(1,)], [(2,)], [(3,)]]
    with CaptureQueriesContext(connection) as captured:
        assert ask(*asked) == [[(1,)], [(2,)], [(3,)]]
    assert len(captured) == 1


def test_values_of_another_type_are_another_statement() -> None:
    asked = "SELECT pg_typeof(%(value)s)::text"
    answers = ask(Question(asked, {"value": 1}, fixed=True), Question(asked, {"value": "1"}, fixed=True))
    assert answers == [[("bigint",)], [("text",)]]
    assert len(kept()) == 2


def test_beyond_the_most_statements_are_asked_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "MOST_PREPARED", 1)
    for number in range(3):
        assert ask(Question(f"SELECT {number} + %(a)s", {"a": 1}, fixed=True)) == [[(number + 1,)]]
    assert len(kept()) == 1


def test_a_rollback_keeps_what_was_prepared() -> None:
    asked = Question("SELECT %(a)s", {"a": 1}, fixed=True)
    with transaction.atomic():
        ask(asked)
        transaction.set_rollback(True)
    with CaptureQueriesContext(connection) as captured:
        assert ask(asked) == [[(1,)]]
    assert len(captured) == 1


def test_a_statement_whose_columns_changed_fails_once() -> None:
    with database_role(OWNER):
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE changing (a integer)")
        asked = Question("SELECT * FROM changing", {}, fixed=True)
        assert ask(asked) == [[]]
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE changing ADD b integer")
        with pytest.raises(NotSupportedError, match="cached plan"), transaction.atomic():
            ask(asked)
        assert ask(asked) == [[]]


def test_a_session_that_lost_its_statements_fails_once() -> None:
    asked = Question("SELECT 1", {}, fixed=True)
    ask(asked)
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    with pytest.raises(ProgrammingError, match="does not exist"), transaction.atomic():
        ask(asked)
    assert ask(asked) == [[(1,)]]


def process() -> Any:
    """Return the module as a process has it that has prepared nothing yet."""
    spec = importlib.util.find_spec("tenancy.questions")
    assert spec is not None and spec.loader is not None
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    return fresh


def test_another_process_s_session_never_runs_its_statement_for_ours() -> None:
    """A proxy that pools by transaction gives a connection a session in which other processes prepared theirs."""
    one, other = process(), process()
    ours, theirs = Question("SELECT 'ours'", {}, fixed=True), Question("SELECT 'theirs'", {}, fixed=True)
    assert one.ask(ours) == [[("ours",)]]
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")  # ours stayed in the session before
    assert other.ask(theirs) == [[("theirs",)]]
    with pytest.raises(ProgrammingError, match="does not exist"), transaction.atomic():
        one.ask(ours)
    assert one.ask(ours, Question("SELECT 1", {}, fixed=True)) == [[("ours",)], [(1,)]]
