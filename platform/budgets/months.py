"""Totals of money (migrations 0006, 0007, 0009, 0010) and the lines they add up: triggers keep them, a daily check
compares."""

from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from psycopg import sql


@dataclass(frozen=True)
class Totals:
    """A table of totals, the view that counts them anew, and their columns."""

    table: str
    counted: str
    values: tuple[str, ...]
    keys: tuple[str, ...]


COST = Totals(
    "budgets_monthlycost",
    "budgets_countedcost",
    ("amount",),
    ("tenant_id", "model_id", "foundation_model_id", "line", "month"),
)
ROWS = Totals(
    "budgets_monthlyrows", "budgets_countedrows", ("rows",), ("tenant_id", "foundation_model_id", "stream_id", "month")
)
TO_DATE = Totals("budgets_costtodate", "budgets_countedtodate", ("training", "measurement"), ("tenant_id", "model_id"))
ALL = (COST, ROWS, TO_DATE)

_WRONG = """
    SELECT DISTINCT {keys} FROM (
        (SELECT {keys}, {columns} FROM {counted} EXCEPT SELECT {keys}, {columns} FROM {table})
        UNION ALL
        (SELECT {keys}, {columns} FROM {table} WHERE ({columns}) <> ({zeros})
         EXCEPT SELECT {keys}, {columns} FROM {counted})
    ) AS either
"""
_OPEN = """
    INSERT INTO {table} (id, created_at, {keys}, {columns}) VALUES (gen_random_uuid(), now(), {values}, {zeros})
    ON CONFLICT ({keys}) DO NOTHING
"""
_HOLD = "SELECT FROM {table} WHERE ({keys}) IS NOT DISTINCT FROM ({values}) FOR UPDATE"
_MEND = """
    UPDATE {table} SET ({columns}) = (SELECT {found} FROM {counted} WHERE ({keys}) IS NOT DISTINCT FROM ({values}))
    WHERE ({keys}) IS NOT DISTINCT FROM ({values})
"""


def wrong(totals: Totals) -> list[tuple[Any, ...]]:
    """Return the keys whose total is not the sum of its lines, as one statement sees both."""
    with connection.cursor() as cursor:
        cursor.execute(_written(_WRONG, totals))
        return list(cursor.fetchall())


def mend(totals: Totals) -> int:
    """Count every wrong total anew; return how many there were.

    Whoever adds a line updates its total in the same transaction: with that row held, all lines are there to be seen.
    """
    found = wrong(totals)
    for key in found:
        values = dict(zip(totals.keys, key, strict=True))
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in (_OPEN, _HOLD, _MEND):
                cursor.execute(_written(statement, totals), values)
    return len(found)


def _written(statement: str, totals: Totals) -> sql.Composed:
    columns = [sql.Identifier(name) for name in totals.values]
    comma = sql.SQL(", ")
    return sql.SQL(statement).format(
        table=sql.Identifier(totals.table),
        counted=sql.Identifier(totals.counted),
        columns=comma.join(columns),
        zeros=comma.join([sql.SQL("0")] * len(columns)),
        found=comma.join(sql.SQL("coalesce(sum({}), 0)").format(column) for column in columns),
        keys=comma.join(map(sql.Identifier, totals.keys)),
        values=comma.join(map(sql.Placeholder, totals.keys)),
    )
