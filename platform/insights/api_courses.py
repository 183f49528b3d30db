"""What a team does with a model after its registration: versions, restarts, aliases, teachers, lineage."""

import uuid
from collections.abc import Sequence
from typing import Any

import orjson
from django.db.models import TextField
from django.db.models.functions import Cast
from django.urls import URLPattern, path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.concurrency import IF_MATCH, refuse_if_changed, tagged
from api.base.idempotency import idempotent
from api.base.rows import Row, Rows
from api.base.viewsets import TenantViewSet
from catalog import selectors as catalog
from insights.course_serializers import (
    AliasSerializer,
    BindingSerializer,
    CheckpointSerializer,
    ConsumerSerializer,
    LabelSetSerializer,
    ModelLineageSerializer,
    ModelLinkSerializer,
    NewAliasSerializer,
    NewBindingSerializer,
    NewCheckSerializer,
    NewRestartSerializer,
    NewVersionSerializer,
    NoteSerializer,
    PartitionUsesSerializer,
    ServingCheckSerializer,
    SnapshotUsesSerializer,
    VersionSerializer,
)
from insights.selectors.card_text import card_text
from insights.selectors.detail import detail
from insights.selectors.lineage import (
    consumers,
    courses_of,
    labelled,
    learners,
    model_links,
    partition_uses,
    snapshot_uses,
)
from insights.serializers import CardTextSerializer
from registry import courses, services
from registry import selectors as registry
from registry.latency import latencies
from registry.models import AliasMove
from runs.selectors import has_open_run
from tenancy.errors import NotFound

ALIAS = OpenApiParameter("alias", str, OpenApiParameter.PATH, enum=AliasMove.Alias.values)
VERSIONS = Rows(VersionSerializer, also=("spec_text",), spec=lambda row: orjson.Fragment(row["spec_text"]))
CHECKPOINTS = Rows(CheckpointSerializer)
BINDINGS = Rows(
    BindingSerializer,
    also=("id", "foundation_model_id", "foundation_model__name"),
    foundation_model=lambda row: {"id": row["foundation_model_id"], "name": row["foundation_model__name"]},
)
LABEL_SETS = Rows(LabelSetSerializer)
USED_SETS = Rows(LabelSetSerializer, tasks=lambda row: orjson.Fragment(row["tasks"]))


def _target(move: Row) -> dict[str, Any] | None:
    """Return the checkpoint that the row of a move points at."""
    if move["checkpoint_id"] is None:
        return None
    return CHECKPOINTS.write([{path: move[f"checkpoint__{path}"] for path in CHECKPOINTS.columns}])[0]


MOVES = Rows(
    AliasSerializer,
    also=("id", "checkpoint_id", *(f"checkpoint__{path}" for path in CHECKPOINTS.columns)),
    checkpoint=_target,
)


class VersionViewSet(TenantViewSet):
    """A model's versions and checkpoints."""

    serializer_class = VersionSerializer
    required = {
        "list": "models:read",
        "create": "models:write",
        "checkpoints": "models:read",
        "restart": "models:write",
        "check": "models:read",
    }

    @extend_schema(operation_id="models_versions_list", responses=VersionSerializer(many=True))
    def list(self, request: Request, model_id: uuid.UUID) -> Response:
        """List the model's versions, newest first."""
        registry.check_model(model_id=model_id)
        rows = registry.versions_of(model_id=model_id).annotate(spec_text=Cast("spec", TextField()))
        return self.page(rows, VERSIONS)

    @extend_schema(
        operation_id="models_versions_create", request=NewVersionSerializer, responses={201: VersionSerializer}
    )
    @idempotent
    def create(self, request: Request, model_id: uuid.UUID) -> Response:
        """Give a paused model its next version: lineages of its own, untrained. Those before end and stay readable."""
        form = NewVersionSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        version = courses.add_version(model_id=model_id, open_run=has_open_run, **form.validated_data)
        return Response(VersionSerializer(version).data, status=status.HTTP_201_CREATED)

    @extend_schema(operation_id="models_checkpoints_list", responses=CheckpointSerializer(many=True))
    def checkpoints(self, request: Request, model_id: uuid.UUID) -> Response:
        """List the checkpoints of both arms, newest first."""
        registry.check_model(model_id=model_id)
        return self.page(registry.checkpoints_of(model_id=model_id), CHECKPOINTS)

    @extend_schema(operation_id="models_restart", request=NewRestartSerializer, responses={201: ModelLineageSerializer})
    @idempotent
    def restart(self, request: Request, model_id: uuid.UUID) -> Response:
        """Take a paused model back to a checkpoint: new lineages go on from there."""
        form = NewRestartSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        courses.restart(model_id=model_id, checkpoint_id=form.validated_data["checkpoint"], open_run=has_open_run)
        return Response(_lineage(model_id), status=status.HTTP_201_CREATED)

    @extend_schema(operation_id="models_check", request=NewCheckSerializer, responses=ServingCheckSerializer)
    def check(self, request: Request) -> Response:
        """Say what a spec would cost to serve, without registering it; refusals are those of the registration."""
        form = NewCheckSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        found = courses.check(
            tenant_id=self.tenant.id, stream_id=form.validated_data["stream"], spec=form.validated_data["spec"]
        )
        schema = catalog.schema_of(catalog.stream(stream_id=form.validated_data["stream"]))
        spec = services.parse_spec(form.validated_data["spec"], schema)
        body = vars(found) | {"latency": latencies(spec=spec, schema=schema)}
        return Response(ServingCheckSerializer(body).data)


class AliasViewSet(TenantViewSet):
    """`serving` and `candidate`: names that point at a checkpoint, with a history and a way back."""

    serializer_class = AliasSerializer
    required = {
        "list": "models:read",
        "history": "models:read",
        "retrieve": "models:read",
        "update": "models:write",
        "destroy": "models:write",
        "rollback": "models:write",
    }

    @extend_schema(operation_id="models_aliases_list", responses=AliasSerializer(many=True))
    def list(self, request: Request, model_id: uuid.UUID) -> Response:
        """List where the model's aliases point."""
        self.paginate_queryset(registry.alias_moves(model_id=model_id).none())  # one page, but a bad limit is refused
        registry.check_model(model_id=model_id)
        rows = MOVES.write(registry.aliases(model_id=model_id).values())
        return Response({"results": rows, "next": None, "previous": None})

    @extend_schema(operation_id="models_aliases_history", responses=AliasSerializer(many=True))
    def history(self, request: Request, model_id: uuid.UUID) -> Response:
        """List every move of the aliases, newest first."""
        registry.check_model(model_id=model_id)
        return self.page(registry.alias_moves(model_id=model_id), MOVES)

    @extend_schema(operation_id="models_aliases_read", parameters=[ALIAS], responses=AliasSerializer)
    def retrieve(self, request: Request, model_id: uuid.UUID, alias: str) -> Response:
        """Show where an alias points."""
        return tagged(self._current(model_id, alias))

    @extend_schema(
        operation_id="models_aliases_set",
        parameters=[ALIAS, IF_MATCH],
        request=NewAliasSerializer,
        responses=AliasSerializer,
    )
    def update(self, request: Request, model_id: uuid.UUID, alias: str) -> Response:
        """Point an alias at a checkpoint of the model."""
        form = NewAliasSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        self._guard(request, model_id, alias)
        move = courses.move_alias(
            model_id=model_id,
            alias=alias,
            checkpoint_id=form.validated_data["checkpoint"],
            note=form.validated_data["note"],
        )
        return tagged(AliasSerializer(move).data)

    @extend_schema(operation_id="models_aliases_clear", parameters=[ALIAS, IF_MATCH], responses={204: None})
    def destroy(self, request: Request, model_id: uuid.UUID, alias: str) -> Response:
        """Let an alias point nowhere; its history stays."""
        self._guard(request, model_id, alias)
        courses.move_alias(model_id=model_id, alias=alias, checkpoint_id=None)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        operation_id="models_aliases_rollback",
        parameters=[ALIAS, IF_MATCH],
        request=NoteSerializer,
        responses=AliasSerializer,
    )
    @idempotent
    def rollback(self, request: Request, model_id: uuid.UUID, alias: str) -> Response:
        """Point an alias at what it pointed at before; once more goes further back."""
        form = NoteSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        self._guard(request, model_id, alias)
        move = courses.roll_back_alias(model_id=model_id, alias=alias, note=form.validated_data["note"])
        return tagged(AliasSerializer(move).data)

    def _current(self, model_id: uuid.UUID, alias: str) -> dict[str, object]:
        registry.check_model(model_id=model_id)
        found = registry.aliases(model_id=model_id).get(alias)
        if found is None:
            known = ", ".join(AliasMove.Alias.values)
            raise NotFound("alias_not_set", "This alias points nowhere.", f"Aliases: {known}. PUT one to set it.")
        # As text, which is what the tag of an alias is made of.
        return dict(orjson.loads(orjson.dumps(MOVES.write([found])[0], option=orjson.OPT_UTC_Z)))

    def _guard(self, request: Request, model_id: uuid.UUID, alias: str) -> None:
        """404 for a name that is no alias; 412 where the caller has read another state."""
        if alias not in AliasMove.Alias.values:
            self._current(model_id, alias)
        if request.headers.get("If-Match") is not None:
            refuse_if_changed(request, self._current(model_id, alias))


class BindingViewSet(TenantViewSet):
    """Which foundation model teaches a model."""

    serializer_class = BindingSerializer
    required = {"list": "models:read", "create": "models:write", "destroy": "models:write"}

    @extend_schema(operation_id="models_bindings_list", responses=BindingSerializer(many=True))
    def list(self, request: Request, model_id: uuid.UUID) -> Response:
        """List the model's teachers, the present one first."""
        registry.check_model(model_id=model_id)
        return self.page(registry.bindings_of(model_id=model_id), BINDINGS)

    @extend_schema(
        operation_id="models_bindings_create", request=NewBindingSerializer, responses={201: BindingSerializer}
    )
    @idempotent
    def create(self, request: Request, model_id: uuid.UUID) -> Response:
        """Let a foundation model teach the model from the next partition on; the binding before ends."""
        form = NewBindingSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        teacher = registry.foundation_model(foundation_model_id=form.validated_data["foundation_model"])
        model = registry.vertical_model(model_id=model_id)
        binding = services.bind_model(model=model, foundation_model=teacher)
        return Response(BindingSerializer(binding).data, status=status.HTTP_201_CREATED)

    @extend_schema(operation_id="models_bindings_end", responses={204: None})
    def destroy(self, request: Request, model_id: uuid.UUID) -> Response:
        """Let no foundation model teach the model from the next partition on."""
        courses.end_binding(model_id=model_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class LineageViewSet(TenantViewSet):
    """Where models come from."""

    serializer_class = ModelLineageSerializer
    required = {"model": "models:read", "card": "models:read"}

    @extend_schema(operation_id="models_lineage", responses=ModelLineageSerializer)
    def model(self, request: Request, model_id: uuid.UUID) -> Response:
        """Show the model's lineages: version, arm, parent, rows read, snapshots that taught it."""
        return Response(_lineage(model_id))

    @extend_schema(operation_id="models_card", responses=CardTextSerializer)
    def card(self, request: Request, model_id: uuid.UUID) -> Response:
        """Show the model card: purpose, data, figures with intervals, limits; as parts and as Markdown."""
        return Response(CardTextSerializer(card_text(detail(model_id=model_id))).data)


class PartitionUsesViewSet(TenantViewSet):
    """What came of a partition."""

    serializer_class = PartitionUsesSerializer
    required = {"retrieve": "streams:read", "consumers": "streams:read"}

    @extend_schema(operation_id="partitions_lineage", responses=PartitionUsesSerializer)
    def retrieve(self, request: Request, stream_id: uuid.UUID, partition_id: uuid.UUID) -> Response:
        """Show who labelled the partition and the newest of the models' steps that consumed it."""
        found = partition_uses(stream_id=stream_id, partition_id=partition_id)
        if found is None:
            raise catalog.no_partition()
        body = {
            "label_sets": USED_SETS.write(found.label_sets),
            "consumed_by": [{"model": vars(link), "checkpoint": checkpoint} for link, checkpoint in found.models],
            "all_consumed_by": _beside(request, "consumers") if found.more_models else None,
        }
        return Response(body)

    @extend_schema(operation_id="partitions_consumers_list", responses=ConsumerSerializer(many=True))
    def consumers(self, request: Request, stream_id: uuid.UUID, partition_id: uuid.UUID) -> Response:
        """List the models' steps that consumed the partition, newest first."""
        catalog.check_partition(stream_id=stream_id, partition_id=partition_id)
        page = self.paginate_queryset(consumers(partition_id=partition_id).values(*_STEP)) or []
        return self.get_paginated_response(_steps(page))


class SnapshotUsesViewSet(TenantViewSet):
    """What came of a snapshot."""

    serializer_class = SnapshotUsesSerializer
    required = {"retrieve": "insights:read", "label_sets": "insights:read", "models": "insights:read"}

    @extend_schema(operation_id="snapshots_lineage", responses=SnapshotUsesSerializer)
    def retrieve(self, request: Request, snapshot_id: uuid.UUID) -> Response:
        """Show which of the tenant's partitions a snapshot labelled, and which of its models learned from that."""
        found = snapshot_uses(snapshot_id=snapshot_id)
        if found is None:
            raise _no_snapshot()
        body = {
            "label_sets": USED_SETS.write(found.label_sets),
            "all_label_sets": _beside(request, "label-sets") if found.more_label_sets else None,
            "models": [vars(link) for link, _ in found.models],
            "all_models": _beside(request, "models") if found.more_models else None,
        }
        return Response(body)

    @extend_schema(operation_id="snapshots_label_sets_list", responses=LabelSetSerializer(many=True))
    def label_sets(self, request: Request, snapshot_id: uuid.UUID) -> Response:
        """List the snapshot's label sets of the tenant's partitions, newest first."""
        _known(snapshot_id)
        return self.page(labelled(snapshot_id=snapshot_id), LABEL_SETS)

    @extend_schema(operation_id="snapshots_models_list", responses=ModelLinkSerializer(many=True))
    def models(self, request: Request, snapshot_id: uuid.UUID) -> Response:
        """List the tenant's models that learned from the snapshot's labels, the newest course of training first."""
        _known(snapshot_id)
        page = self.paginate_queryset(learners(snapshot_id=snapshot_id).values("id")) or []
        return self.get_paginated_response(_models(page))


_STEP = ("id", "lineage_id", "checkpoint_id")


def _steps(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Write steps that consumed a partition, as `ConsumerSerializer` says."""
    links = model_links(lineage_ids=[row["lineage_id"] for row in rows])
    return [{"model": vars(links[row["lineage_id"]]), "checkpoint": row["checkpoint_id"]} for row in rows]


def _models(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Write the models of lineages, as `ModelLinkSerializer` says."""
    links = model_links(lineage_ids=[row["id"] for row in rows])
    return [vars(links[row["id"]]) for row in rows]


def _known(snapshot_id: uuid.UUID) -> None:
    if not registry.has_snapshot(snapshot_id=snapshot_id):
        raise _no_snapshot()


def _no_snapshot() -> NotFound:
    return NotFound("snapshot_not_found", "There is no such snapshot.")


def _beside(request: Request, name: str) -> str:
    """Return the path of the list `name` beside the lineage that is asked for."""
    return request.path.rpartition("/")[0] + f"/{name}"


def _lineage(model_id: uuid.UUID) -> dict[str, object]:
    model = registry.vertical_model(model_id=model_id)
    body = {"model": model.id, "stream": model.stream_id, "courses": courses_of(model_id=model.id)}
    return dict(ModelLineageSerializer(body).data)


_MODEL = "models/<uuid:model_id>"
_PARTITION = "streams/<uuid:stream_id>/partitions/<uuid:partition_id>"
_SNAPSHOT = "foundation/snapshots/<uuid:snapshot_id>"

tenant_urls: list[URLPattern] = [
    path("models/check", VersionViewSet.as_view({"post": "check"})),
    path(f"{_MODEL}/versions", VersionViewSet.as_view({"get": "list", "post": "create"})),
    path(f"{_MODEL}/checkpoints", VersionViewSet.as_view({"get": "checkpoints"})),
    path(f"{_MODEL}/restart", VersionViewSet.as_view({"post": "restart"})),
    path(f"{_MODEL}/aliases", AliasViewSet.as_view({"get": "list"})),
    path(f"{_MODEL}/aliases/history", AliasViewSet.as_view({"get": "history"})),
    path(
        f"{_MODEL}/aliases/<slug:alias>",
        AliasViewSet.as_view({"get": "retrieve", "put": "update", "delete": "destroy"}),
    ),
    path(f"{_MODEL}/aliases/<slug:alias>/rollback", AliasViewSet.as_view({"post": "rollback"})),
    path(f"{_MODEL}/bindings", BindingViewSet.as_view({"get": "list", "post": "create", "delete": "destroy"})),
    path(f"{_MODEL}/lineage", LineageViewSet.as_view({"get": "model"})),
    path(f"{_MODEL}/card", LineageViewSet.as_view({"get": "card"})),
    path(f"{_PARTITION}/lineage", PartitionUsesViewSet.as_view({"get": "retrieve"})),
    path(f"{_PARTITION}/consumers", PartitionUsesViewSet.as_view({"get": "consumers"})),
    path(f"{_SNAPSHOT}/lineage", SnapshotUsesViewSet.as_view({"get": "retrieve"})),
    path(f"{_SNAPSHOT}/label-sets", SnapshotUsesViewSet.as_view({"get": "label_sets"})),
    path(f"{_SNAPSHOT}/models", SnapshotUsesViewSet.as_view({"get": "models"})),
]
