"""The client: one tenant of one platform, its streams, partitions, models, runs, costs and webhooks."""

from collections.abc import Iterator
from functools import cached_property
from types import TracebackType
from typing import Self, cast

import httpx

from exfm_client import schema
from exfm_client.errors import Unusable
from exfm_client.exports import Exports
from exfm_client.resources import Foundation, Models, Runs, Streams, Webhooks
from exfm_client.transport import PATIENCE_SECONDS, Transport


class Client:
    """Acts with a token, which belongs to one tenant.

    Args:
        url: where the platform answers, e.g. https://exfm.example.com.
        token: `exfm_…`, made under Access in the dashboard.
        tenant: the tenant's slug; asked from the platform where it is left out.
        patience: seconds for which a request is repeated while the platform is away or asks to wait.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        tenant: str | None = None,
        patience: float = PATIENCE_SECONDS,
        http: httpx.Client | None = None,
    ) -> None:
        self.transport = Transport(url, token, patience=patience, http=http)
        self._tenant = tenant

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.transport.close()

    def me(self) -> schema.Me:
        """Return whose token this is, and what it may do."""
        return cast(schema.Me, self.transport.call("GET", "/api/v1/session").data)

    @cached_property
    def tenant(self) -> str:
        """The tenant's slug."""
        if self._tenant:
            return self._tenant
        found = [membership["tenant"]["slug"] for membership in self.me()["memberships"]]
        if len(found) != 1:
            raise Unusable("The token belongs to no single tenant.", "Name the tenant: EXFM_TENANT=slug.")
        return found[0]

    @property
    def base(self) -> str:
        """The path below which the tenant's addresses lie."""
        return f"/api/v1/tenants/{self.tenant}"

    @cached_property
    def streams(self) -> Streams:
        """Streams and their partitions."""
        return Streams(self.transport, self.base)

    @cached_property
    def models(self) -> Models:
        """Vertical models."""
        return Models(self.transport, self.base)

    @cached_property
    def runs(self) -> Runs:
        """Runs."""
        return Runs(self.transport, self.base)

    @cached_property
    def webhooks(self) -> Webhooks:
        """Webhooks and their deliveries."""
        return Webhooks(self.transport, self.base)

    @cached_property
    def foundation(self) -> Foundation:
        """The foundation model, as the tenant sees it."""
        return Foundation(self.transport, self.base)

    @cached_property
    def exports(self) -> Exports:
        """Zips with everything that the tenant owns."""
        return Exports(self.transport, self.base)

    def costs(self) -> schema.Costs:
        """Return what the running period has cost by line, and the costliest models."""
        return cast(schema.Costs, self.transport.call("GET", f"{self.base}/costs").data)

    def model_costs(self) -> Iterator[schema.ModelCost]:
        """Yield what each model has cost since its registration, costliest first."""
        return self.transport.pages(f"{self.base}/costs/models", {"order": "-cost"})

    def overview(self) -> schema.Overview:
        """Return the tenant's first page: lift, spending, quotas, what needs attention."""
        return cast(schema.Overview, self.transport.call("GET", f"{self.base}/overview").data)
