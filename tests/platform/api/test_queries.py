"""How many queries each list and detail of a tenant asks inside its action: pinned, and the same for a larger page."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerts.models import Delivery, Webhook, WebhookEvent
from api.base.routes import all_routes, fill
from registry import courses
from registry.models import LabelSet
from tenancy import services
from tenancy.models import Role, TenantExport
from tenancy.scope import platform_scope, tenant_scope
from tests.kit import domain
from tests.kit.api import Api
from tests.kit.cast import Cast
from tests.kit.factories import make_member, make_token
from tests.kit.roles import PLATFORM, database_role
from tests.platform.insights import scene as scenes

PINNED = {
    "audit": 1,
    "costs": 4,
    "costs/models": 3,
    "exports": 1,
    "exports/<uuid:export_id>": 1,
    "foundation": 2,
    "foundation/snapshots/<uuid:snapshot_id>/label-sets": 2,
    "foundation/snapshots/<uuid:snapshot_id>/lineage": 3,
    "foundation/snapshots/<uuid:snapshot_id>/models": 3,
    "invitations": 1,
    "ledger": 1,
    "members": 2,
    "members/<uuid:id>": 2,
    "models": 3,
    "models/<uuid:model_id>": 4,
    "models/<uuid:model_id>/aliases": 2,
    "models/<uuid:model_id>/aliases/<slug:alias>": 2,
    "models/<uuid:model_id>/aliases/history": 2,
    "models/<uuid:model_id>/bindings": 2,
    "models/<uuid:model_id>/card": 5,
    "models/<uuid:model_id>/checkpoints": 2,
    "models/<uuid:model_id>/curve": 1,
    "models/<uuid:model_id>/lineage": 2,
    "models/<uuid:model_id>/versions": 2,
    "overview": 6,
    "runs": 1,
    "runs/<uuid:run_id>": 4,
    "service-accounts": 1,
    "settings": 0,
    "streams": 1,
    "streams/import-roots": 0,
    "streams/<uuid:stream_id>": 1,
    "streams/<uuid:stream_id>/partitions": 2,
    "streams/<uuid:stream_id>/partitions/<uuid:partition_id>": 1,
    "streams/<uuid:stream_id>/partitions/<uuid:partition_id>/consumers": 3,
    "streams/<uuid:stream_id>/partitions/<uuid:partition_id>/lineage": 3,
    "tokens": 1,
    "tokens/<uuid:id>": 1,
    "webhooks": 1,
    "webhooks/<uuid:webhook_id>": 1,
    "webhooks/<uuid:webhook_id>/deliveries": 1,
    "webhooks/<uuid:webhook_id>/deliveries/<uuid:delivery_id>": 2,
}
"""Addresses below a tenant: the most statements inside the action, whatever round trips they share; memory warm."""

NO_PAGE = {"audit/export", "deletion", "events", "exports/<uuid:export_id>/download"}
"""Files, a stream, and what is there only while a deletion waits."""

ROUTES = {
    route.pattern.partition("<slug:tenant>/")[2]: route.pattern for route in all_routes() if route.method == "get"
}


@dataclass
class Shop:
    """A tenant in which every address has something to show."""

    cast: Cast
    values: dict[str, Any] = field(default_factory=dict)
    made: list[scenes.Scene] = field(default_factory=list)

    def grow(self) -> None:
        """Add one more of everything that a page lists."""
        with database_role(PLATFORM), platform_scope("test"):
            teacher = self.made[0].teacher if self.made else None
            scene = scenes.make_scene(self.cast.tenant, teacher, partitions=2)
            self.made.append(scene)
            first = self.made[0]
            for index in (len(self.made) * 10, len(self.made) * 10 + 1):
                scenes.train(first, index, covered=True)
            checkpoint = domain.make_checkpoint(domain.lineage(first.model, "treatment"), 900 + len(self.made))
            member = make_member(self.cast.tenant, Role.VIEWER)
            token, _ = make_token(member, self.cast.tenant, ["runs:read"])
            webhook = Webhook.objects.create(
                tenant=self.cast.tenant, url="https://example.org/", event_types=["run.failed"], salt="x" * 32
            )
            self.values.setdefault("webhook_id", webhook.id)
            event = WebhookEvent.objects.create(tenant=self.cast.tenant, type="run.failed", data={})
            delivery = Delivery.objects.create(
                tenant=self.cast.tenant,
                webhook_id=self.values["webhook_id"],
                event=event,
                next_attempt_at=domain.hour(0),
            )
            export = TenantExport.objects.create(
                tenant=self.cast.tenant, requested_by=self.cast.owner, include=["rows"], state="failed"
            )
            membership = member.memberships.get()
            self.values = {
                "tenant": self.cast.tenant.slug,
                "model_id": first.model.id,
                "run_id": first.run.id,
                "stream_id": first.stream.id,
                "partition_id": first.partitions[1].id,
                "snapshot_id": LabelSet.objects.filter(partition=first.partitions[1]).get().snapshot_id,
                "delivery_id": delivery.id,
                "export_id": export.id,
                "alias": "serving",
                "members": membership.id,
                "tokens": token.id,
            } | self.values
            with tenant_scope(self.cast.tenant.id):
                services.create_service_account(tenant=self.cast.tenant, name="robot", role=Role.VIEWER)
                courses.move_alias(model_id=first.model.id, alias="serving", checkpoint_id=checkpoint.id)

    def queries(self, name: str) -> int:
        """Ask once to warm up, then count the queries inside the action."""
        values = self.values | {"id": self.values["members" if name.startswith("members") else "tokens"]}
        api = Api(self.cast.owner)
        assert api.get(fill(ROUTES[name], values)).status_code == 200, name
        with CaptureQueriesContext(connection) as captured:
            answer = api.get(fill(ROUTES[name], values))
        assert answer.status_code == 200
        texts = [query["sql"] for query in captured.captured_queries]
        opened = [place for place, text in enumerate(texts) if "set_config('app.tenant'" in text]
        inside = texts[opened[1] + 1 : opened[2]]
        # Several statements may go in one round trip, divided by semicolons; no value of the shop holds one.
        return sum(1 + text.count(";") for text in inside if "SAVEPOINT" not in text)


@pytest.fixture
def shop(cast: Cast) -> Iterator[Shop]:
    cache.clear()
    made = Shop(cast)
    made.grow()
    yield made


def test_every_list_and_detail_is_pinned() -> None:
    tenants = {name for name, pattern in ROUTES.items() if "<slug:tenant>/" in pattern}
    assert tenants - NO_PAGE == set(PINNED)


def test_the_number_of_queries_is_pinned_and_does_not_grow_with_the_page(shop: Shop) -> None:
    before = {name: shop.queries(name) for name in PINNED}
    shop.grow()
    shop.grow()
    after = {name: shop.queries(name) for name in PINNED}
    assert before == after
    assert {name: count for name, count in after.items() if count > PINNED[name]} == {}
