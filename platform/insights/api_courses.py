"""What a team does with a model after its registration: versions, restarts, aliases, teachers, lineage."""

import dataclasses
import uuid

from django.urls import URLPattern, path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from api.base.concurrency import IF_MATCH, refuse_if_changed, tagged
from api.base.idempotency import idempotent
from api.base.viewsets import TenantViewSet
from catalog import selectors as catalog
from insights.course_serializers import (
    AliasSerializer,
    BindingSerializer,
    CheckpointSerializer,
    ModelLineageSerializer,
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
from insights.selectors.card_text import Section, Text, card_text
from insights.selectors.cards import Card, card
from insights.selectors.lineage import courses_of, uses_of_partition, uses_of_snapshot
from insights.serializers import CardTextSerializer
from registry import courses, services
from registry import selectors as registry
from registry.latency import latencies, sentences
from registry.models import AliasMove, Snapshot
from runs.selectors import has_open_run
from tenancy.errors import NotFound

ALIAS = OpenApiParameter("alias", str, OpenApiParameter.PATH, enum=AliasMove.Alias.values)


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
        registry.vertical_model(model_id=model_id)
        page = self.paginate_queryset(registry.versions_of(model_id=model_id))
        return self.get_paginated_response(VersionSerializer(page, many=True).data)

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
        registry.vertical_model(model_id=model_id)
        page = self.paginate_queryset(registry.checkpoints_of(model_id=model_id))
        return self.get_paginated_response(CheckpointSerializer(page, many=True).data)

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
        body = dataclasses.asdict(found) | {"latency": latencies(spec=spec, schema=schema)}
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
        registry.vertical_model(model_id=model_id)
        found = registry.aliases(model_id=model_id)
        rows = [found[name] for name in sorted(found)]
        return Response({"results": AliasSerializer(rows, many=True).data, "next": None, "previous": None})

    @extend_schema(operation_id="models_aliases_history", responses=AliasSerializer(many=True))
    def history(self, request: Request, model_id: uuid.UUID) -> Response:
        """List every move of the aliases, newest first."""
        registry.vertical_model(model_id=model_id)
        page = self.paginate_queryset(registry.alias_moves(model_id=model_id))
        return self.get_paginated_response(AliasSerializer(page, many=True).data)

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
    def rollback(self, request: Request, model_id: uuid.UUID, alias: str) -> Response:
        """Point an alias at what it pointed at before; once more goes further back."""
        form = NoteSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        self._guard(request, model_id, alias)
        move = courses.roll_back_alias(model_id=model_id, alias=alias, note=form.validated_data["note"])
        return tagged(AliasSerializer(move).data)

    def _current(self, model_id: uuid.UUID, alias: str) -> dict[str, object]:
        registry.vertical_model(model_id=model_id)
        found = registry.aliases(model_id=model_id).get(alias)
        if found is None:
            known = ", ".join(AliasMove.Alias.values)
            raise NotFound("alias_not_set", "This alias points nowhere.", f"Aliases: {known}. PUT one to set it.")
        return dict(AliasSerializer(found).data)

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
        registry.vertical_model(model_id=model_id)
        page = self.paginate_queryset(registry.bindings_of(model_id=model_id))
        return self.get_paginated_response(BindingSerializer(page, many=True).data)

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
    """Where models come from, and what came of partitions and snapshots."""

    serializer_class = ModelLineageSerializer
    required = {"model": "models:read", "card": "models:read", "partition": "streams:read", "snapshot": "insights:read"}

    @extend_schema(operation_id="models_lineage", responses=ModelLineageSerializer)
    def model(self, request: Request, model_id: uuid.UUID) -> Response:
        """Show the model's lineages: version, arm, parent, rows read, snapshots that taught it."""
        return Response(_lineage(model_id))

    @extend_schema(operation_id="models_card", responses=CardTextSerializer)
    def card(self, request: Request, model_id: uuid.UUID) -> Response:
        """Show the model card: purpose, data, figures with intervals, limits; as parts and as Markdown."""
        shown = card(model_id=model_id)
        text: Text = _with_latency(card_text(shown), shown)
        return Response(CardTextSerializer(dataclasses.asdict(text)).data)

    @extend_schema(operation_id="partitions_lineage", responses=PartitionUsesSerializer)
    def partition(self, request: Request, stream_id: uuid.UUID, partition_id: uuid.UUID) -> Response:
        """Show who labelled the partition and which models consumed it."""
        catalog.partition(stream_id=stream_id, partition_id=partition_id)
        return Response(PartitionUsesSerializer(uses_of_partition(partition_id=partition_id)).data)

    @extend_schema(operation_id="snapshots_lineage", responses=SnapshotUsesSerializer)
    def snapshot(self, request: Request, snapshot_id: uuid.UUID) -> Response:
        """Show which of the tenant's partitions a snapshot labelled, and which of its models learned from that."""
        if not Snapshot.objects.filter(id=snapshot_id).exists():
            raise NotFound("snapshot_not_found", "There is no such snapshot.")
        return Response(SnapshotUsesSerializer(uses_of_snapshot(snapshot_id=snapshot_id)).data)


def _with_latency(text: Text, shown: Card) -> Text:
    """Return the card with what is estimated of its latency on the measured flavors."""
    spec, schema = registry.spec_of(shown.version), catalog.schema_of(shown.model.stream)
    lines = sentences(latencies(spec=spec, schema=schema))
    if not lines:
        return text
    part = Section(
        "Serving latency, estimated", [*lines, "Of the exported graph on one thread; the export measures it."]
    )
    markdown = f"{text.markdown}\n## {part.title}\n\n" + "\n".join(f"- {line}" for line in part.lines) + "\n"
    return dataclasses.replace(text, sections=[*text.sections, part], markdown=markdown)


def _lineage(model_id: uuid.UUID) -> dict[str, object]:
    model = registry.vertical_model(model_id=model_id)
    body = {"model": model.id, "stream": model.stream_id, "courses": courses_of(model_id=model.id)}
    return dict(ModelLineageSerializer(body).data)


_MODEL = "models/<uuid:model_id>"

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
    path(
        "streams/<uuid:stream_id>/partitions/<uuid:partition_id>/lineage", LineageViewSet.as_view({"get": "partition"})
    ),
    path("foundation/snapshots/<uuid:snapshot_id>/lineage", LineageViewSet.as_view({"get": "snapshot"})),
]
