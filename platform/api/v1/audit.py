"""The audit log: searched, and taken along as CSV or JSON lines. Owners see their tenant's, administrators all."""

import csv
import io
import json
import tempfile
from collections.abc import Callable, Iterator
from typing import IO, Any

import orjson
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from django.http import StreamingHttpResponse
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.downloads import download
from api.base.rows import Row, Rows
from api.base.serializers import StrictSerializer
from api.base.viewsets import PlatformAdminViewSet, ScopedViewSet, TenantViewSet
from tenancy import selectors
from tenancy.models import AuditEntry

MOST_EXPORTED = 200_000
FORMATS = {"csv": "text/csv", "jsonl": "application/x-ndjson"}
COLUMNS = (
    "id",
    "created_at",
    "actor",
    "token_prefix",
    "action",
    "target_type",
    "target_id",
    "before",
    "after",
    "reason",
    "request_id",
)


class AuditEntrySerializer(StrictSerializer):
    """One change: who, what, before and after."""

    id = serializers.UUIDField()
    created_at = serializers.DateTimeField()
    actor = serializers.CharField(source="actor_label")
    token_prefix = serializers.CharField()
    action = serializers.CharField()
    target_type = serializers.CharField()
    target_id = serializers.CharField()
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)
    reason = serializers.CharField()
    request_id = serializers.CharField()


class AdminAuditEntrySerializer(AuditEntrySerializer):
    """The same, with the tenant; null = the platform's own."""

    tenant = serializers.CharField(source="tenant.slug", allow_null=True, default=None)


def _unread(column: str) -> Callable[[Row], orjson.Fragment | None]:
    """JSON that nobody looks at on its way: read as text, written as it is."""
    return lambda row: None if row[column] is None else orjson.Fragment(row[column])


_VALUES = {"before": _unread("text_before"), "after": _unread("text_after")}
_ROWS = Rows(AuditEntrySerializer, also=["text_before", "text_after"], **_VALUES)
_ADMIN_ROWS = Rows(AdminAuditEntrySerializer, also=["text_before", "text_after"], **_VALUES)


class AuditQuerySerializer(StrictSerializer):
    """What to look for; all conditions hold together. Times are inclusive from, exclusive to."""

    actor = serializers.CharField(max_length=254, required=False, allow_blank=True)
    action = serializers.CharField(max_length=60, required=False, allow_blank=True)
    target_type = serializers.CharField(max_length=40, required=False, allow_blank=True)
    target_id = serializers.CharField(max_length=64, required=False, allow_blank=True)
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)
    q = serializers.CharField(max_length=100, required=False, allow_blank=True)
    cursor = serializers.CharField(required=False, allow_blank=True)
    limit = serializers.CharField(required=False, allow_blank=True)


class AuditExportQuerySerializer(AuditQuerySerializer):
    """The same, and the file's format."""

    format_ = serializers.ChoiceField(choices=sorted(FORMATS), required=False, default="jsonl")

    def get_fields(self) -> dict[str, Any]:
        """`format` is the word of the query; as an attribute it would hide a method."""
        fields = super().get_fields()
        return {("format" if name == "format_" else name): field for name, field in fields.items()}


SEARCH = [
    OpenApiParameter("actor", str, description="part of the actor's e-mail address or label"),
    OpenApiParameter("action", str, description="an action, or the beginning of one: `token.`"),
    OpenApiParameter("target_type", str),
    OpenApiParameter("target_id", str),
    OpenApiParameter("since", OpenApiTypes.DATETIME),
    OpenApiParameter("until", OpenApiTypes.DATETIME),
    OpenApiParameter("q", str, description="text in values before and after, reason, target or request id"),
]
FORMAT = OpenApiParameter("format", str, enum=sorted(FORMATS), description="jsonl by default")
FILE = {
    (200, kind): OpenApiResponse(OpenApiTypes.BINARY, description="The entries, newest first.")
    for kind in FORMATS.values()
}


def found(request: Request) -> tuple[QuerySet[AuditEntry], str]:
    """Return the entries that the query asks for, and the export's format."""
    if not request.query_params:
        return selectors.audit_entries(), "jsonl"  # a form is made per request: not for nothing
    asked = AuditExportQuerySerializer(data=request.query_params.dict())
    asked.is_valid(raise_exception=True)
    data: dict[str, Any] = asked.validated_data
    kind = str(data.pop("format"))
    wanted = {name: value for name, value in data.items() if name not in {"cursor", "limit"}}
    return selectors.audit_entries(**wanted), kind


def file_of(rows: QuerySet[AuditEntry], kind: str, serializer: type[AuditEntrySerializer]) -> IO[bytes]:
    """Write the entries to a temporary file."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it
    shown = (serializer(row).data for row in rows[:MOST_EXPORTED].iterator(chunk_size=2000))
    for line in _csv(shown, serializer) if kind == "csv" else _jsonl(shown):
        file.write(line.encode())
    return file


def _jsonl(rows: Iterator[Any]) -> Iterator[str]:
    for row in rows:
        yield json.dumps(row, cls=DjangoJSONEncoder) + "\n"


def _csv(rows: Iterator[Any], serializer: type[AuditEntrySerializer]) -> Iterator[str]:
    columns = [*COLUMNS, "tenant"] if issubclass(serializer, AdminAuditEntrySerializer) else list(COLUMNS)
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row[name]) for name in columns])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def _cell(value: Any) -> str:
    """Return a cell; a leading = + - @ would be a formula to a spreadsheet."""
    text = "" if value is None else json.dumps(value, cls=DjangoJSONEncoder) if isinstance(value, dict) else str(value)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


class _Log(ScopedViewSet):
    """What both logs share."""

    serializer_class = AuditEntrySerializer

    def found_page(self, request: Request, written: Rows) -> Response:
        """Return one page of what was asked for."""
        rows, _ = found(request)
        texts = {f"text_{name}": Cast(name, TextField()) for name in _VALUES}
        return self.page(rows.annotate(**texts), written)

    def file(self, request: Request, serializer: type[AuditEntrySerializer]) -> StreamingHttpResponse:
        """Return all of it as a file, as long as the caller may read the log."""
        rows, kind = found(request)
        file = file_of(rows, kind, serializer)
        named = {"name": f"audit.{kind}", "content_type": FORMATS[kind]}
        return download(request._request, file, **named, check=self.check_again)


class AuditViewSet(_Log, TenantViewSet):
    """Every change in the tenant, newest first."""

    required = {"list": "audit:read", "export": "audit:read"}

    @extend_schema(operation_id="audit_list", parameters=SEARCH, responses=AuditEntrySerializer(many=True))
    def list(self, request: Request) -> Response:
        """List the changes that match all conditions."""
        return self.found_page(request, _ROWS)

    @extend_schema(operation_id="audit_export", parameters=[*SEARCH, FORMAT], responses=FILE)
    def export(self, request: Request) -> StreamingHttpResponse:
        """Return the changes that match all conditions as one file, 200,000 at most."""
        return self.file(request, AuditEntrySerializer)


class AdminAuditViewSet(_Log, PlatformAdminViewSet):
    """Every change of every tenant and of the platform, newest first."""

    required = {"list": "platform:read", "export": "platform:read"}

    @extend_schema(operation_id="admin_audit_list", parameters=SEARCH, responses=AdminAuditEntrySerializer(many=True))
    def list(self, request: Request) -> Response:
        """List the changes that match all conditions."""
        return self.found_page(request, _ADMIN_ROWS)

    @extend_schema(operation_id="admin_audit_export", parameters=[*SEARCH, FORMAT], responses=FILE)
    def export(self, request: Request) -> StreamingHttpResponse:
        """Return the changes that match all conditions as one file, 200,000 at most."""
        return self.file(request, AdminAuditEntrySerializer)


urls = [
    path("audit", AuditViewSet.as_view({"get": "list"})),
    path("audit/export", AuditViewSet.as_view({"get": "export"})),
]
admin_urls = [
    path("audit", AdminAuditViewSet.as_view({"get": "list"})),
    path("audit/export", AdminAuditViewSet.as_view({"get": "export"})),
]
