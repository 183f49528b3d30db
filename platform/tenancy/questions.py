"""Several statements in one round trip.

A round trip costs a process about 0.3 ms beside the statement itself: more than PostgreSQL takes for most answers.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.db import connection


class Question(NamedTuple):
    """A statement that reads, without a semicolon, and the values of its placeholders."""

    statement: str
    values: Sequence[Any] | Mapping[str, Any]


def ask(*questions: Question) -> list[list[tuple[Any, ...]]]:
    """Return the rows that answer each of the questions, none of which may depend on another's answer."""
    with connection.cursor() as cursor:
        cursor.execute(";".join(cursor.mogrify(*question) for question in questions))
        found = [cursor.fetchall()]
        while cursor.nextset():
            found.append(cursor.fetchall())
    return found
