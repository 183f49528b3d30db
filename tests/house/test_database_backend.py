"""The pool's check of a connection, against a real PostgreSQL that ends connections."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from config.embedded.postgres import Postgres
from config.postgres import base

Connection = psycopg.Connection[Any]


@pytest.fixture
def connection(postgres: Postgres) -> Iterator[Connection]:
    with postgres.connect() as made:
        made.autocommit = True
        yield made


class Asked:
    """Counts the statements that reach the server from other connections' point of view."""

    def __init__(self, postgres: Postgres, connection: Connection) -> None:
        self.postgres, self.process = postgres, connection.info.backend_pid

    def last(self) -> Any:
        """When the connection's last statement began."""
        with self.postgres.connect() as other:
            query = "SELECT query_start FROM pg_stat_activity WHERE pid = %s"
            return other.execute(query, [self.process]).fetchone()

    def end(self) -> None:
        """End it from the server's side, and wait until it is gone."""
        with self.postgres.connect() as other:
            assert other.execute("SELECT pg_terminate_backend(%s, 5000)", [self.process]).fetchone() == (True,)


def test_a_connection_in_use_is_not_asked(postgres: Postgres, connection: Connection) -> None:
    asked = Asked(postgres, connection)
    connection.execute("SELECT 1")
    begun = asked.last()
    base.check(connection)  # never seen before: asks
    first = asked.last()
    assert first > begun
    base.check(connection)
    assert asked.last() == first
    assert connection.execute("SELECT 2").fetchone() == (2,)


def test_one_that_rested_is_asked_again(
    postgres: Postgres, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked(postgres, connection)
    base.check(connection)
    first = asked.last()
    monkeypatch.setattr(base, "RESTED_SECONDS", 0.0)
    base.check(connection)
    assert asked.last() > first


def test_one_that_the_server_ended_is_seen_without_asking(postgres: Postgres, connection: Connection) -> None:
    base.check(connection)
    Asked(postgres, connection).end()
    with pytest.raises(psycopg.OperationalError):
        base.check(connection)


def test_what_the_server_says_unasked_is_no_end(connection: Connection, postgres: Postgres) -> None:
    base.check(connection)
    connection.execute("LISTEN here")
    with postgres.connect() as other:
        other.execute("NOTIFY here")
    base.check(connection)
    assert connection.execute("SELECT 3").fetchone() == (3,)


def test_a_request_after_the_servers_restart_finds_a_fresh_connection(
    transactional_db: None, postgres: Postgres
) -> None:
    from django.db import connection as shared
    from django.db import connections

    made: Any = connections.create_connection("default")
    options = {name: value for name, value in shared.settings_dict["OPTIONS"].items() if name != "assume_role"}
    made.settings_dict = {**shared.settings_dict, "OPTIONS": {**options, "pool": {"min_size": 1}}}
    made.alias = "ended"
    try:
        with made.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (before,) = cursor.fetchone()
        made.close()
        with postgres.connect() as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [before])
        with made.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            assert cursor.fetchone()[0] != before
        made.close()
    finally:
        made.close_pool()
