"""Lists whose pages are read by a statement written out around the ids of their rows.

To read a page's ids first and then what is shown of them would be two round trips; to have Django compose the statement
and make objects of its rows takes longer than to answer it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, Self, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet

T = TypeVar("T")

Read = Callable[[str, Sequence[Any]], Iterable[T]]
"""Takes a statement that selects ids in order, and the values of its placeholders; returns what the ids stand for."""


class ReadList(Generic[T]):
    """What a queryset selects, in its order, read by `read`. It can be filtered, ordered and sliced, as pages are."""

    def __init__(self, rows: QuerySet[Any, Any], read: Read[T]) -> None:
        self._ids, self._read = rows.values("id"), read

    def filter(self, *conditions: Any, **values: Any) -> Self:
        """Return those that fit."""
        return type(self)(self._ids.filter(*conditions, **values), self._read)

    def order_by(self, *fields: str) -> Self:
        """Return them in another order."""
        return type(self)(self._ids.order_by(*fields), self._read)

    def __getitem__(self, part: slice) -> Self:
        return type(self)(self._ids[part], self._read)

    def __iter__(self) -> Iterator[T]:
        try:
            statement, values = self._ids.query.sql_with_params()
        except EmptyResultSet:
            return iter(())
        return iter(self._read(statement, values))
