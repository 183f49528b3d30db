"""Filters, search and order of lists: declared once per list, documented from it, strict about the rest."""

import functools
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, ClassVar, cast

import django_filters
from django.db.models import Q, QuerySet
from django.http import QueryDict
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from tenancy.errors import Invalid

MOST_VALUES = 100
MOST_CHARACTERS = 200
PAGE_PARAMETERS = frozenset({"cursor", "limit"})

_TYPES: dict[type, OpenApiTypes] = {
    django_filters.UUIDFilter: OpenApiTypes.UUID,
    django_filters.IsoDateTimeFilter: OpenApiTypes.DATETIME,
    django_filters.BooleanFilter: OpenApiTypes.BOOL,
    django_filters.NumberFilter: OpenApiTypes.NUMBER,
}


class OneOfFilter(django_filters.MultipleChoiceFilter):
    """Several values of one column of the rows themselves, by commas or repeated.

    No row is found twice, so DISTINCT, which the base would ask for, has nothing to do but to hold up the order.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(distinct=False, **options)


class ListFilter(django_filters.FilterSet):
    """Base of a list's filters. A parameter that is not declared is refused by name, as is a value that cannot be.

    Attributes:
        searched: fields that `?search=` looks into, case-insensitively.
        orders: names that `?order=` takes; each must be unique within the list. `-` in front turns the order round.
    """

    searched: ClassVar[tuple[str, ...]] = ()
    orders: ClassVar[Mapping[str, str]] = MappingProxyType({})

    @classmethod
    def apply(cls, request: Request, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows that the query asks for. Invalid (400) names the parameter that is wrong."""
        query = request.query_params
        known = {*cls.base_filters, *PAGE_PARAMETERS}
        known |= ({"search"} if cls.searched else set()) | ({"order"} if cls.orders else set())
        for name in query:
            if name not in known:
                raise Invalid(
                    "unknown_parameter",
                    f"{name[:60]!r} is no parameter of this list.",
                    f"Known parameters: {', '.join(sorted(known))}.",
                    field=name[:60],
                )
            values = query.getlist(name)
            if len(values) > MOST_VALUES or any(text.count(",") >= MOST_VALUES for text in values):
                raise Invalid(
                    "too_many_values", f"{name} has too many values.", f"Give {MOST_VALUES} at most.", field=name
                )
            declared = cls.base_filters.get(name)
            if "" in values and declared is not None and not isinstance(declared, django_filters.CharFilter):
                raise Invalid("bad_value", f"{name} is empty.", "Give a value, or leave it out.", field=name)
            if isinstance(declared, django_filters.BooleanFilter) and not set(values) <= {"true", "false"}:
                raise Invalid("bad_value", f"{name} is neither true nor false.", "Give one of them.", field=name)
            if any("\0" in text for text in values):
                raise Invalid("bad_value", f"{name} holds a null character.", "Remove it.", field=name)
        if cls.base_filters.keys().isdisjoint(query):
            return cls._searched(query.get("search", ""), rows)  # a form is made per request: not for nothing
        names = tuple(name for name in cls.base_filters if name in query)
        chosen = _narrowed(cast(Any, cls), names)(cls._split(query), queryset=rows, request=request)
        if not chosen.is_valid():
            name, errors = next(iter(chosen.errors.items()))
            raise Invalid(
                "bad_value", f"{name}: {errors[0]}", "Correct the value, or leave the parameter out.", field=name
            )
        for name, value in chosen.form.cleaned_data.items():
            if isinstance(value, datetime):
                chosen.form.cleaned_data[name] = cls._utc(name, value)
        return cls._searched(query.get("search", ""), chosen.qs)

    @staticmethod
    def _utc(name: str, moment: datetime) -> datetime:
        """Return the moment in UTC: PostgreSQL knows no offset of sixteen hours or more."""
        try:
            return moment.astimezone(UTC)
        except OverflowError as error:
            raise Invalid("bad_value", f"{name} is out of range.", "Give another time.", field=name) from error

    @classmethod
    def order(cls, request: Request, default: tuple[str, ...]) -> tuple[str, ...]:
        """Return the order that the query asks for, else `default`."""
        asked = request.query_params.get("order")
        if asked is None:
            return default
        sign, name = ("-", asked[1:]) if asked.startswith("-") else ("", asked)
        if name not in cls.orders:
            raise Invalid(
                "bad_order",
                f"{asked[:60]!r} is no order of this list.",
                f"Use one of {', '.join(cls.orders)}, with - in front to turn it round.",
                field="order",
            )
        return (sign + cls.orders[name], f"{sign}id")

    @classmethod
    def parameters(cls) -> list[OpenApiParameter]:
        """Return the list's parameters for the API's description."""
        found = []
        for name, declared in cls.base_filters.items():
            kind = next((known for base, known in _TYPES.items() if isinstance(declared, base)), OpenApiTypes.STR)
            choices = declared.extra.get("choices")
            found.append(
                OpenApiParameter(
                    name,
                    kind,
                    description=str(declared.extra.get("help_text") or declared.label or ""),
                    many=isinstance(declared, OneOfFilter),
                    enum=[value for value, _ in choices] if choices else None,
                )
            )
        if cls.searched:
            looked = ", ".join(field.rsplit("__", 1)[-1] for field in cls.searched)
            text = {"type": "string", "maxLength": MOST_CHARACTERS}
            found.append(OpenApiParameter("search", text, description=f"part of: {looked}"))
        if cls.orders:
            ways = [sign + name for name in cls.orders for sign in ("", "-")]
            found.append(OpenApiParameter("order", str, enum=ways))
        return found

    @classmethod
    def _split(cls, query: QueryDict) -> QueryDict:
        """Return the query with `state=a,b` as `state=a&state=b`, for filters that take several values."""
        split = query.copy()
        for name, declared in cls.base_filters.items():
            if name in query and isinstance(declared, OneOfFilter):
                split.setlist(name, [part for text in query.getlist(name) for part in text.split(",") if part])
        return split

    @classmethod
    def _searched(cls, text: str, rows: QuerySet[Any]) -> QuerySet[Any]:
        if len(text) > MOST_CHARACTERS:
            raise Invalid(
                "bad_value", "search is too long.", f"Use {MOST_CHARACTERS} characters at most.", field="search"
            )
        if not text or not cls.searched:
            return rows
        matching = Q()
        for field in cls.searched:
            matching |= Q(**{f"{field}__icontains": text})
        return rows.filter(matching)


@functools.lru_cache(512)
def _narrowed(filters: type[ListFilter], names: tuple[str, ...]) -> type[ListFilter]:
    """Return the list's filters with those alone that a query names: each has a field of the form made per request."""
    narrowed: Any = type(filters.__name__, (filters,), {})
    narrowed.base_filters = {name: filters.base_filters[name] for name in names}
    return cast(type[ListFilter], narrowed)
