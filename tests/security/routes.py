"""Every address of the API, as the tests on rights call it: ids not given are ids of nothing."""

from dataclasses import dataclass
from typing import Any

from api.base import routes
from tenancy.ids import new_id


@dataclass(frozen=True)
class Route(routes.Route):
    """A route that knows its address."""

    def path(self, tenant: str = "", **values: Any) -> str:
        """Return the address."""
        made = {
            name: new_id() if kind == "uuid" else "nothing-of-that-name"
            for kind, name in routes.parameters(self.pattern)
        }
        return routes.fill(self.pattern, {**made, "tenant": tenant, **values})

    __str__ = routes.Route.__str__


def all_routes() -> list[Route]:
    """Return every method of every address."""
    return [Route(**vars(route)) for route in routes.all_routes()]
