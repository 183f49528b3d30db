"""The cast, a receiver that may be called, and webhooks that point at it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from alerts import services
from alerts.models import Webhook
from alerts.services import Terms
from alerts.types import EventType
from tenancy.models import Tenant
from tenancy.scope import tenant_scope
from tests.kit.cast import cast as cast
from tests.platform.alerts.receiver import Receiver, receiver

ALL = tuple(kind.value for kind in EventType if kind != EventType.TEST)

Make = Callable[..., tuple[Webhook, str]]


@pytest.fixture
def far(settings: Any) -> Iterator[Receiver]:
    """A receiver; the operator has listed the loopback network."""
    settings.EXFM_WEBHOOK_ALLOW = ["127.0.0.0/8"]
    settings.EXFM_WEBHOOK_SECONDS = 2
    with receiver() as there:
        yield there


@pytest.fixture
def make() -> Make:
    """Return a function that stores a webhook and tells its secret."""

    def stored(tenant: Tenant, url: str, event_types: tuple[str, ...] = ALL) -> tuple[Webhook, str]:
        with tenant_scope(tenant.id):
            return services.create_webhook(tenant=tenant, terms=Terms(url, event_types))

    return stored
