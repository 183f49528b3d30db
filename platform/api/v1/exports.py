"""Taking everything along: exports are asked for, watched, downloaded, removed."""

import uuid

from django.db import transaction
from django.http import StreamingHttpResponse
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.downloads import resumable
from api.base.idempotency import idempotent
from api.base.rows import Rows
from api.base.serializers import StrictSerializer
from api.base.viewsets import TenantViewSet
from api.v1.account import checked
from catalog import limits, storage
from catalog.selectors import storage_used
from registry import holdings
from tenancy import export_requests
from tenancy.errors import DomainError
from tenancy.models import TenantExport

ZIP = "application/zip"


class ExportRequestSerializer(StrictSerializer):
    """What the file shall hold beside the rows, which are always in it."""

    include = serializers.ListField(
        child=serializers.ChoiceField(choices=TenantExport.Part.choices),
        required=False,
        default=list,
        max_length=len(TenantExport.Part.values),
        help_text="`partitions`: the uploaded files; `models`: committed weights. `rows` may be named",
    )


class ExportErrorSerializer(StrictSerializer):
    """Why there is no file."""

    message = serializers.CharField(source="error")
    mend = serializers.CharField()


class TenantExportSerializer(StrictSerializer):
    """An export. `bytes`, `sha256`, `files` and `rows` are known when it is done."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=TenantExport.State.choices)
    include = serializers.ListField(child=serializers.ChoiceField(choices=TenantExport.Part.choices))
    requested_by = serializers.EmailField(source="requested_by.email", allow_null=True, default=None)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    expected_bytes = serializers.IntegerField(help_text="of the data files and weights, before it is written")
    written_bytes = serializers.IntegerField()
    bytes = serializers.IntegerField(allow_null=True)
    sha256 = serializers.CharField(allow_null=True)
    files = serializers.IntegerField(allow_null=True)
    rows = serializers.IntegerField(allow_null=True)
    missing = serializers.IntegerField(help_text="files that were gone or damaged; manifest.json names them")
    error = serializers.SerializerMethodField()

    def to_representation(self, instance: TenantExport) -> dict[str, object]:
        """Nothing is known by null."""
        shown = super().to_representation(instance)
        return {**shown, "sha256": instance.sha256 or None}

    @extend_schema_field(ExportErrorSerializer(allow_null=True))
    def get_error(self, row: TenantExport) -> dict[str, object] | None:
        """Return what went wrong, with its mend."""
        return dict(ExportErrorSerializer(row).data) if row.error else None


_ROWS = Rows(
    TenantExportSerializer,
    also=["include", "sha256", "error", "mend"],
    include=lambda row: row["include"],
    sha256=lambda row: row["sha256"] or None,
    error=lambda row: {"message": row["error"], "mend": row["mend"]} if row["error"] else None,
)


class ExportViewSet(TenantViewSet):
    """Files with everything that the tenant owns."""

    serializer_class = TenantExportSerializer
    required = {
        "list": "tenant:export",
        "create": "tenant:export",
        "retrieve": "tenant:export",
        "destroy": "tenant:export",
        "download": "tenant:export",
    }
    detached = frozenset({"download"})

    @extend_schema(operation_id="exports_list", responses=TenantExportSerializer(many=True))
    def list(self, request: Request) -> Response:
        """List the exports, newest first; files go after some days, their rows stay."""
        return self.page(export_requests.exports(), _ROWS)

    @extend_schema(
        operation_id="exports_create", request=ExportRequestSerializer, responses={202: TenantExportSerializer}
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Ask for an export; a worker writes it. One at a time."""
        include = checked(ExportRequestSerializer, request)["include"]
        row = export_requests.request(
            tenant=self.tenant,
            user=self.user,
            include=include,
            expected_bytes=holdings.total_bytes(tenant_id=self.tenant.id, include=include),
            quota_bytes=limits.limits_of(self.tenant.id).storage_bytes - storage_used(tenant_id=self.tenant.id),
            free_bytes=storage.free_bytes(),
        )
        return Response(TenantExportSerializer(row).data, status=202)

    @extend_schema(operation_id="exports_read", responses=TenantExportSerializer)
    def retrieve(self, request: Request, export_id: uuid.UUID) -> Response:
        """Show an export, and how far it is."""
        return Response(TenantExportSerializer(export_requests.export(export_id=export_id)).data)

    @extend_schema(operation_id="exports_delete", responses={204: None})
    def destroy(self, request: Request, export_id: uuid.UUID) -> Response:
        """Remove an export with its file; one that is being written is stopped."""
        uri = export_requests.remove(export_id=export_id)
        if uri:
            transaction.on_commit(lambda: storage.remove(uri))
        return Response(status=204)

    @extend_schema(
        operation_id="exports_download",
        parameters=[
            OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="one part, such as bytes=1048576-"),
            OpenApiParameter("If-Range", str, OpenApiParameter.HEADER, description="ETag of the file begun before"),
        ],
        responses={
            (200, ZIP): OpenApiResponse(OpenApiTypes.BINARY, description="The file; its ETag is its SHA-256."),
            (206, ZIP): OpenApiResponse(OpenApiTypes.BINARY, description="The part that Range asked for."),
        },
    )
    def download(self, request: Request, export_id: uuid.UUID) -> StreamingHttpResponse:
        """Return the file of an export that is done. Each download is in the audit log."""

        def found() -> TenantExport:
            return export_requests.downloadable(export_requests.export(export_id=export_id))

        def check() -> None:
            with self.scope():  # the token or session, the membership, the role
                found()

        with self.scope():
            row = found()
            export_requests.record_download(row)
        try:
            file = storage.opened(row.uri)
        except FileNotFoundError as error:
            raise DomainError("export_gone", "The export's file is gone.", "Ask for another.", status=410) from error
        name = f"{self.tenant.slug}-{row.created_at:%Y%m%d-%H%M%S}.zip"
        etag = f'"{row.sha256}"'
        return resumable(request._request, file, name=name, content_type=ZIP, etag=etag, check=check)


_ONE, _MANY = {"get": "retrieve", "delete": "destroy"}, {"get": "list", "post": "create"}

urls = [
    path("exports", ExportViewSet.as_view(_MANY)),
    path("exports/<uuid:export_id>", ExportViewSet.as_view(_ONE)),
    path("exports/<uuid:export_id>/download", ExportViewSet.as_view({"get": "download"})),
]
