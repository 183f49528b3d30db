"""Several statements in one round trip, planned once per connection.

A round trip costs a process about 0.3 ms beside the statement itself: more than PostgreSQL takes for most answers.
To plan a statement that joins ten tables takes it several milliseconds: longer than to run it. A statement that never
changes is prepared on each connection the first time it is asked there; after that it is run by its name.
"""

import re
import secrets
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

import psycopg
from django.db import DatabaseError, connection
from psycopg.errors import FeatureNotSupported, InvalidSqlStatementName

MOST_PREPARED: Final = 100
"""Statements that a connection keeps, at about 200 kB of the server's memory each; others are planned each time."""


class Question(NamedTuple):
    """A statement that reads, without a semicolon, and the values of its placeholders.

    `fixed`: the statement is one of a few, whatever is asked; PostgreSQL keeps its plan. Such a plan suits all values:
    `%(tenant)s IS NULL OR …` in it would read whole tables (`tenancy.scope.owned` is for that).
    """

    statement: str
    values: Sequence[Any] | Mapping[str, Any]
    fixed: bool = False


def ask(*questions: Question) -> list[list[tuple[Any, ...]]]:
    """Return the rows that answer each of the questions, none of which may depend on another's answer."""
    texts: list[str] = []
    values: list[Any] = []
    with connection.cursor() as cursor:
        for question in questions:
            text, own = _run(cursor, question) if question.fixed else _written(cursor, question)
            texts.append(text)
            values += own
        try:
            cursor.execute(";".join(texts), values)
        except DatabaseError as error:
            if isinstance(error.__cause__, FeatureNotSupported | InvalidSqlStatementName):
                _prepared.pop(connection.connection, None)
            raise
        found = [cursor.fetchall()]
        while cursor.nextset():
            found.append(cursor.fetchall())
    return found


_prepared: WeakKeyDictionary[psycopg.Connection[Any], dict[tuple[str, ...], str]] = WeakKeyDictionary()
"""What each connection keeps: statement and types of its values -> name.

A rollback does not undo them. What PostgreSQL will not run any more (a migration changed the columns that it returns,
or a proxy gave the connection another session) fails once, is forgotten, and is prepared anew under another name. Names
are drawn by lot: in another session no other process has one of ours, which would run its statement in place of ours.
"""


def _written(cursor: Any, question: Question) -> tuple[str, list[Any]]:
    """Return the statement with its values written out, and none for placeholders."""
    return cursor.mogrify(*question[:2]).replace("%", "%%"), []


def _run(cursor: Any, question: Question) -> tuple[str, list[Any]]:
    """Return the text that runs a fixed statement, and its values; prepare it if this connection has not met it yet."""
    values = question.values
    named = values if isinstance(values, Mapping) else {str(place): value for place, value in enumerate(values)}
    types = [_type(value) for value in named.values()]
    key = question.statement, *types
    known = _prepared.setdefault(connection.connection, {})
    if key not in known:
        if len(known) >= MOST_PREPARED:
            return _written(cursor, question)
        name = f"fixed_{secrets.token_hex(12)}"
        cursor.execute(f"PREPARE {name}{_listed(types)} AS {_numbered(question.statement, list(named))}")
        known[key] = name
    return f"EXECUTE {known[key]}{_listed(['%s'] * len(named))}", list(named.values())


def _listed(each: list[str]) -> str:
    return f" ({', '.join(each)})" if each else ""


_TYPES: Final = {
    bool: "boolean",
    int: "bigint",
    float: "double precision",
    str: "text",
    uuid.UUID: "uuid",
    datetime: "timestamptz",
    Decimal: "numeric",
}


def _type(value: Any) -> str:
    """Return PostgreSQL's type for a value, which it cannot always tell from where the placeholder stands."""
    if isinstance(value, list):
        return f"{_type(value[0])}[]" if value else "unknown"
    return next((name for kind, name in _TYPES.items() if isinstance(value, kind)), "unknown")


_PLACEHOLDER: Final = re.compile(r"%(?:\((\w+)\))?s|%%")


def _numbered(statement: str, names: list[str]) -> str:
    """Return the statement with PostgreSQL's own placeholders: `$1` for the first value, and so on."""
    places = iter(range(1, 1 + len(names)))

    def number(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        return f"${names.index(found[1]) + 1 if found[1] else next(places)}"

    return _PLACEHOLDER.sub(number, statement)
