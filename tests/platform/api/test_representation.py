"""The short way to JSON writes what REST framework's own way writes."""

import datetime
import json
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework import renderers, serializers

from api.base.rendering import JSONRenderer
from api.base.representation import representation_of
from api.base.rows import Rows
from api.base.serializers import StrictModelSerializer, StrictSerializer
from tenancy.models import ApiToken, Membership, Role, Tenant, User
from tenancy.scope import platform_scope
from tests.kit.cast import Cast
from tests.kit.roles import PLATFORM, database_role

NOW = datetime.datetime(2026, 3, 1, 12, 30, 5, 120, tzinfo=datetime.UTC)


class Inner(StrictSerializer):
    number = serializers.IntegerField(allow_null=True)
    name = serializers.CharField()


class Louder(Inner):
    """Writes something of its own."""

    def to_representation(self, instance: Any) -> Any:
        return {**super().to_representation(instance), "loud": True}


class Outer(StrictSerializer):
    id = serializers.UUIDField()
    short = serializers.UUIDField(format="hex", source="id")
    at = serializers.DateTimeField(allow_null=True)
    share = serializers.FloatField()
    money = serializers.DecimalField(max_digits=18, decimal_places=6)
    on = serializers.BooleanField()
    role = serializers.ChoiceField(choices=Role.choices)
    words = serializers.ListField(child=serializers.CharField(allow_null=True))
    table = serializers.DictField(child=serializers.FloatField())
    deep = serializers.IntegerField(source="inner.number", allow_null=True)
    inner = Inner()
    louder = Louder(source="inner")
    several = Inner(many=True)
    nothing = Inner(allow_null=True)
    absent = serializers.CharField(required=False)
    fallen_back = serializers.CharField(default="as agreed")
    called = serializers.CharField()
    made = serializers.SerializerMethodField()
    secret = serializers.CharField(write_only=True)

    def get_made(self, row: Any) -> str:
        return f"of {type(row).__name__}"


@dataclass
class Thing:
    number: int | None
    name: str = "ä\u2028😀"


@dataclass
class Whole:
    id: uuid.UUID = field(default_factory=uuid.uuid4)
    at: datetime.datetime | None = NOW
    share: Any = 0.1
    money: Decimal = Decimal("1.5")
    on: Any = True
    role: Any = Role.OWNER
    words: Any = ("a", None)
    table: Any = field(default_factory=lambda: {"x": 1})
    inner: Thing = field(default_factory=lambda: Thing(3))
    several: Any = field(default_factory=lambda: [Thing(1), Thing(None)])
    nothing: Any = None

    def called(self) -> str:
        return "back"


class TenantSerializer(StrictModelSerializer):
    class Meta:
        model = Tenant
        fields = ("id", "slug", "name", "status", "created_at")


class TokenSerializer(StrictModelSerializer):
    holder = serializers.CharField(source="user.email")
    place = TenantSerializer(source="tenant")

    class Meta:
        model = ApiToken
        fields = ("id", "prefix", "scopes", "created_at", "expires_at", "tenant", "holder", "place")


def as_rest_framework_does(serializer: serializers.BaseSerializer[Any], instance: Any) -> Any:
    made = serializers.Serializer.to_representation(serializer, instance)  # type: ignore[arg-type]
    return json.loads(renderers.JSONRenderer().render(made))


ROWS = [
    Whole(),
    Whole(at=NOW.replace(microsecond=0)),
    Whole(at=NOW.astimezone(ZoneInfo("Asia/Tokyo"))),
    Whole(on="true", share="2.5", role="viewer", words=[], table={}, several=[]),
    Whole(money=Decimal("-1E+2")),
    Whole(money=Decimal("-0.000001")),
    Whole(money=Decimal("12.3456785")),
    Whole(money=Decimal("0E-6")),
    Whole(inner=Thing(None)),
]


@pytest.mark.parametrize("row", ROWS)
def test_plain_and_nested_fields(row: Whole) -> None:
    made = Outer(row).data
    assert json.loads(JSONRenderer().render(made)) == as_rest_framework_does(Outer(row), row)
    assert made["louder"]["loud"] is True
    assert "absent" not in made and "secret" not in made


def test_mappings_are_read_by_key() -> None:
    row = {
        **vars(ROWS[0]),
        "called": "x",
        "inner": {"number": 1, "name": "n"},
        "several": [{"number": None, "name": ""}],
    }
    assert json.loads(JSONRenderer().render(Outer(row).data)) == as_rest_framework_does(Outer(row), row)


def test_rows_of_the_database() -> None:
    tenant = Tenant(slug="a", name="A", created_at=NOW)
    token = ApiToken(tenant=tenant, user=User(email="x@example.com"), prefix="p", scopes=["runs:read"], created_at=NOW)
    for serializer, row in ((TenantSerializer, tenant), (TokenSerializer, token)):
        assert json.loads(JSONRenderer().render(serializer(row).data)) == as_rest_framework_does(serializer(row), row)
    many = TokenSerializer([token, token], many=True).data
    assert list(many) == [TokenSerializer(token).data] * 2


def test_what_is_missing_is_said_as_before() -> None:
    with pytest.raises(AttributeError, match="field `name` on serializer `Inner`"):
        representation_of(Inner)(Membership())
    with pytest.raises(KeyError, match="field `name` on serializer `Inner`"):
        representation_of(Inner)({"number": 1})


def test_a_class_is_looked_at_once() -> None:
    assert representation_of(Inner) is representation_of(Inner)
    assert representation_of(Inner) is not representation_of(Louder)


def test_bytes_are_utf_8_and_compact() -> None:
    assert (
        JSONRenderer().render({"a": ("ä", Decimal("1.0")), "b": Role.OWNER}) == '{"a":["ä","1.0"],"b":"owner"}'.encode()
    )
    assert JSONRenderer().render(None) == b""
    with pytest.raises(TypeError, match="not JSON serializable: object"):
        JSONRenderer().render({"a": object()})


def test_what_orjson_cannot_write_is_written_all_the_same(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("""SELECT '{"upper": 1e30}'::jsonb::text""")
        stored = json.loads(cursor.fetchone()[0])
    assert JSONRenderer().render({"gate": stored, "half": "\u00bd"}) == (
        b'{"gate":{"upper":1000000000000000000000000000000},"half":"\xc2\xbd"}'
    )
    deep: dict[str, Any] = {}
    for _ in range(300):
        deep = {"more": deep}
    assert json.loads(JSONRenderer().render(deep)) == deep


class Made(StrictSerializer):
    made = serializers.SerializerMethodField()

    def get_made(self, row: Any) -> str:
        return "made"


class Columns(StrictModelSerializer):
    holder = serializers.CharField(source="user.email")
    short = serializers.UUIDField(format="hex", source="id")
    limits = serializers.ListField(child=serializers.CharField(), source="scopes")

    class Meta:
        model = ApiToken
        fields = ("id", "prefix", "limits", "short", "created_at", "expires_at", "holder", "name")


def test_columns_are_written_as_objects_are(cast: Cast) -> None:
    tenant = cast.tenant
    with database_role(PLATFORM), platform_scope("test"):
        for number, expiry in enumerate((None, NOW, NOW.replace(microsecond=0))):
            ApiToken.objects.create(
                tenant=tenant, user=cast.owner, prefix=f"p{number}", name="n", scopes=["a", "ä"], expires_at=expiry
            )
        tokens = ApiToken.objects.filter(tenant=tenant, name="n").order_by("id")
        rows = Rows(Columns, also=["tenant__slug"], name=lambda row: f"{row['prefix']} of {row['tenant__slug']}")
        with CaptureQueriesContext(connection) as asked:
            written = rows.write(rows.read(tokens))
        objects = Columns(tokens, many=True).data
    expected = [dict(row) | {"name": f"{row['prefix']} of {tenant.slug}"} for row in objects]
    assert json.loads(JSONRenderer().render(written)) == json.loads(JSONRenderer().render(expected))
    assert len(asked) == 1 and len(written) == 3
    assert list(written[0]) == list(objects[0])


def test_what_is_no_column_is_named() -> None:
    with pytest.raises(TypeError, match="inner is not a column"):
        Rows(Outer)
    with pytest.raises(TypeError, match="made is not a column"):
        Rows(Made)
    with pytest.raises(TypeError, match="tenant is not a column"):
        Rows(TokenSerializer, place=str)


def test_moments_identifiers_and_fragments_are_written_as_they_come() -> None:
    data = {
        "at": NOW,
        "whole": NOW.replace(microsecond=0),
        "id": uuid.UUID(int=7),
        "spec": orjson.Fragment('{"a": [1]}'),
    }
    text = {"at": "2026-03-01T12:30:05.000120Z", "whole": "2026-03-01T12:30:05Z", "id": str(uuid.UUID(int=7))}
    assert json.loads(JSONRenderer().render(data)) == text | {"spec": {"a": [1]}}
    assert json.loads(JSONRenderer().render(data | {"big": 10**30})) == text | {"spec": {"a": [1]}, "big": 10**30}
