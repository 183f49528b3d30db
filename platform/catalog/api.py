"""Streams and partitions over HTTP."""

import uuid
from functools import partial
from operator import itemgetter

import orjson
from django.db import transaction
from django.db.models import TextField
from django.db.models.functions import Cast
from django.urls import URLPattern, path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.concurrency import IF_MATCH, refuse_if_changed, tagged
from api.base.errors import CONTENT_TYPE
from api.base.idempotency import fingerprint, forget_about, idempotent, remember, replay, reused
from api.base.rows import Rows
from api.base.schema import InUseSerializer
from api.base.viewsets import TenantViewSet
from catalog import errors, inference, selectors, services, sources, storage
from catalog.filters import PartitionFilter, StreamFilter
from catalog.serializers import (
    ImportedSerializer,
    ImportRootsSerializer,
    ImportsSerializer,
    IntervalSerializer,
    NewStreamSerializer,
    PartitionProblemSerializer,
    PartitionSerializer,
    ProposalSerializer,
    StreamSerializer,
    StreamTermsSerializer,
)
from config.body_limit import SAMPLE_BYTES
from tenancy.scope import tenant_scope

RAW_TYPES = ("application/vnd.apache.parquet", "application/octet-stream", "application/x-parquet")
SAMPLE_TYPES = (*RAW_TYPES, "text/csv", "application/x-ndjson", "application/jsonl", "text/plain")

STREAM_ROWS = Rows(
    StreamSerializer,
    also=("schema_text", "counts"),
    schema=lambda row: orjson.Fragment(row["schema_text"]),
    partitions=itemgetter("counts"),
)
PARTITION_ROWS = Rows(
    PartitionSerializer,
    also=("positives_text", "problems"),
    positives=lambda row: orjson.Fragment(row["positives_text"]),
    problems=lambda row: PartitionProblemSerializer(row["problems"], many=True).data if row["problems"] else [],
)


DELETED = {204: None, (409, CONTENT_TYPE): OpenApiResponse(InUseSerializer, description="Something still uses it.")}


def _drop_file(tenant_id: uuid.UUID, uri: str) -> None:
    """Remove a deleted partition's file, in a transaction of its own: the request's is over."""
    with tenant_scope(tenant_id):
        services.drop_file(tenant_id=tenant_id, uri=uri)


def _shown(stream_id: uuid.UUID) -> tuple[dict[str, object], dict[str, object]]:
    """Return a stream's representation, and the part of it that a change replaces: the counts move by themselves."""
    shown = dict(StreamSerializer(selectors.counted_stream(stream_id=stream_id)).data)
    return shown, {name: value for name, value in shown.items() if name != "partitions"}


class StreamViewSet(TenantViewSet):
    """A tenant's streams."""

    serializer_class = StreamSerializer
    detached = frozenset({"infer"})
    required = {
        "list": "streams:read",
        "retrieve": "streams:read",
        "create": "streams:write",
        "partial_update": "streams:write",
        "destroy": "streams:write",
        "infer": "streams:write",
    }

    list_filter = StreamFilter

    @extend_schema(
        operation_id="streams_list", parameters=StreamFilter.parameters(), responses=StreamSerializer(many=True)
    )
    def list(self, request: Request) -> Response:
        """List the streams, newest first."""
        rows = selectors.streams().annotate(schema_text=Cast("schema", TextField()))
        return self.page(StreamFilter.apply(request, rows), STREAM_ROWS)

    @extend_schema(operation_id="streams_create", request=NewStreamSerializer, responses={201: StreamSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Register a stream by its schema."""
        form = NewStreamSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        stream = services.create_stream(
            tenant=self.tenant,
            name=form.validated_data["name"],
            schema=form.validated_data["schema"],
            terms=form.terms(),
        )
        found = selectors.counted_stream(stream_id=stream.id)
        return Response(StreamSerializer(found).data, status=status.HTTP_201_CREATED)

    @extend_schema(operation_id="streams_read", responses=StreamSerializer)
    def retrieve(self, request: Request, stream_id: uuid.UUID) -> Response:
        """Show a stream."""
        shown, terms = _shown(stream_id)
        return tagged(shown, of=terms)

    @extend_schema(
        operation_id="streams_update",
        parameters=[IF_MATCH],
        request=StreamTermsSerializer,
        responses=StreamSerializer,
    )
    def partial_update(self, request: Request, stream_id: uuid.UUID) -> Response:
        """Change the label deadline and the consents; withdrawing a consent does not unlearn what was learned."""
        form = StreamTermsSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        stream = services.hold_stream(stream_id=stream_id)
        refuse_if_changed(request, _shown(stream_id)[1])
        services.change_terms(stream_id=stream_id, terms=form.terms(stream))
        shown, terms = _shown(stream_id)
        return tagged(shown, of=terms)

    @extend_schema(operation_id="streams_delete", parameters=[IF_MATCH], responses=DELETED)
    def destroy(self, request: Request, stream_id: uuid.UUID) -> Response:
        """Delete a stream that has no partitions and no models; what it decided about itself goes with it."""
        services.hold_stream(stream_id=stream_id)
        refuse_if_changed(request, _shown(stream_id)[1])
        services.delete_stream(stream_id=stream_id)
        forget_about(stream_id)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        operation_id="streams_infer",
        request=dict.fromkeys(
            (*RAW_TYPES[:2], "text/csv", "application/x-ndjson"),
            OpenApiTypes.BINARY,
        ),
        responses=ProposalSerializer,
    )
    def infer(self, request: Request) -> Response:
        """Propose a schema from a sample of rows: Parquet, CSV or JSON lines of at most 16 MiB. Nothing is kept.

        Names and the first rows cannot tell what was known at the time of a row: read the proposal before you use it.
        """
        raw = request._request
        if (raw.content_type or "") not in SAMPLE_TYPES:
            raise errors.wrong_media_type(raw.content_type or "", "text/csv")
        if int(request.headers.get("Content-Length") or 0) > SAMPLE_BYTES:
            raise errors.sample_too_large(SAMPLE_BYTES)
        found = inference.propose(tenant_id=self.tenant.id, body=raw)
        return Response(ProposalSerializer(found).data)


class PartitionViewSet(TenantViewSet):
    """The partitions of a stream."""

    serializer_class = PartitionSerializer
    pagination_order = ("-start", "-id")
    detached = frozenset({"create"})
    required = {
        "list": "streams:read",
        "retrieve": "streams:read",
        "create": "streams:write",
        "destroy": "streams:write",
        "imports": "streams:write",
        "import_roots": "streams:read",
    }

    list_filter = PartitionFilter

    @extend_schema(
        operation_id="partitions_list",
        parameters=PartitionFilter.parameters(),
        responses=PartitionSerializer(many=True),
    )
    def list(self, request: Request, stream_id: uuid.UUID) -> Response:
        """List the stream's partitions, latest event time first."""
        selectors.check_stream(stream_id=stream_id)
        rows = selectors.partitions(stream_id=stream_id).annotate(positives_text=Cast("positives", TextField()))
        return self.page(PartitionFilter.apply(request, rows), PARTITION_ROWS)

    @extend_schema(operation_id="partitions_read", responses=PartitionSerializer)
    def retrieve(self, request: Request, stream_id: uuid.UUID, partition_id: uuid.UUID) -> Response:
        """Show a partition; a rejected one says what is wrong with it, by column and row."""
        found = selectors.partition(stream_id=stream_id, partition_id=partition_id)
        return Response(PartitionSerializer(found).data)

    @extend_schema(
        operation_id="partitions_create",
        request=dict.fromkeys(RAW_TYPES[:2], OpenApiTypes.BINARY),
        parameters=[
            OpenApiParameter("start", OpenApiTypes.DATETIME, required=True, description="first moment of the interval"),
            OpenApiParameter("end", OpenApiTypes.DATETIME, required=True, description="end of the interval, not in it"),
            OpenApiParameter(
                "X-Content-SHA256",
                str,
                OpenApiParameter.HEADER,
                description="SHA-256 of the body, in hexadecimal",
                pattern="^[0-9a-fA-F]{64}$",
            ),
        ],
        responses={202: PartitionSerializer, 200: PartitionSerializer},
    )
    def create(self, request: Request, stream_id: uuid.UUID) -> Response:
        """Upload a partition: the body is the Parquet file. 202: received, it is validated next; 200: known already.

        Content and interval identify a partition, so that the same upload again changes nothing.
        """
        query = IntervalSerializer(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        start, end = query.validated_data["start"], query.validated_data["end"]
        raw = request._request
        if (raw.content_type or "") not in RAW_TYPES:
            raise errors.wrong_media_type(raw.content_type or "")
        declared = storage.check_digest(request.headers.get("X-Content-SHA256", ""))
        length = int(request.headers.get("Content-Length") or 0)
        print_ = fingerprint(self, [declared])
        with self.scope():
            if (answer := replay(self, print_)) is None:
                known = services.admit_upload(stream_id=stream_id, start=start, end=end, sha256=declared, bytes=length)
                if known is not None:
                    return self._answer(stream_id, known.id, status.HTTP_200_OK)
        if answer is not None:
            return answer if declared else self._repeated(answer, length)
        with storage.receive(raw, declared=declared, length=length) as received, self.scope():
            partition, new = services.receive_partition(stream_id=stream_id, start=start, end=end, received=received)
            code = status.HTTP_202_ACCEPTED if new else status.HTTP_200_OK
            response = self._answer(stream_id, partition.id, code)
            remember(self, print_, response)
            return response

    @extend_schema(operation_id="partitions_delete", responses=DELETED)
    def destroy(self, request: Request, stream_id: uuid.UUID, partition_id: uuid.UUID) -> Response:
        """Delete a partition that nothing has used, with its file: its interval and its bytes of the quota are free.

        Used is what a run has begun to work on, a foundation model's included, and what has label sets.
        """
        gone = services.delete_partition(stream_id=stream_id, partition_id=partition_id)
        forget_about(partition_id)
        transaction.on_commit(partial(_drop_file, gone.tenant_id, gone.uri), robust=True)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(operation_id="partitions_import", request=ImportsSerializer, responses={202: ImportedSerializer})
    @idempotent
    def imports(self, request: Request, stream_id: uuid.UUID) -> Response:
        """Import partitions from files below the tenant's import roots: all are admitted, or none is.

        A worker fetches each file and validates it; one that is not what it was announced to be is rejected.
        """
        form = ImportsSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        files = [services.Import(**entry) for entry in form.validated_data["partitions"]]
        made = services.import_partitions(tenant=self.tenant, stream_id=stream_id, files=files)
        rows = selectors.partitions(stream_id=stream_id).filter(id__in=[partition.id for partition in made])
        found = {partition.id: partition for partition in rows}
        body = {"results": [found[partition.id] for partition in made]}
        return Response(ImportedSerializer(body).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(operation_id="streams_import_roots", responses=ImportRootsSerializer)
    def import_roots(self, request: Request) -> Response:
        """Show below which addresses the tenant's files may be imported from; none where no operator allows any."""
        return Response(ImportRootsSerializer({"roots": sources.roots(self.tenant.slug)}).data)

    def _repeated(self, answer: Response, length: int) -> Response:
        """Return the answer to an upload without a declared hash, once its body has turned out to be the same."""
        with storage.receive(self.request._request, length=length) as received:
            if received.sha256 != answer.data["sha256"]:
                raise reused()
        self.check_again()
        return answer

    def _answer(self, stream_id: uuid.UUID, partition_id: uuid.UUID, code: int) -> Response:
        found = selectors.partition(stream_id=stream_id, partition_id=partition_id)
        return Response(PartitionSerializer(found).data, status=code)


_ONE, _MANY = {"get": "retrieve"}, {"get": "list", "post": "create"}

tenant_urls: list[URLPattern] = [
    path("streams", StreamViewSet.as_view(_MANY)),
    path("streams/infer", StreamViewSet.as_view({"post": "infer"})),
    path("streams/import-roots", PartitionViewSet.as_view({"get": "import_roots"})),
    path("streams/<uuid:stream_id>", StreamViewSet.as_view({**_ONE, "patch": "partial_update", "delete": "destroy"})),
    path("streams/<uuid:stream_id>/partitions", PartitionViewSet.as_view(_MANY)),
    path("streams/<uuid:stream_id>/imports", PartitionViewSet.as_view({"post": "imports"})),
    path(
        "streams/<uuid:stream_id>/partitions/<uuid:partition_id>",
        PartitionViewSet.as_view({**_ONE, "delete": "destroy"}),
    ),
]

admin_urls: list[URLPattern] = []
