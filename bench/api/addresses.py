"""Every list and detail address of a tenant, from the URL patterns, with the ids that the fill gave to its rows."""

import uuid
from typing import Any

from bench.api import fill

SKIPPED = {
    "exports/<uuid:export_id>/download": "is a file without a page",
    "deletion": "is there only while a deletion waits",
    "audit/export": "writes a file without a page",
    "events": "is a stream that never ends",
}
"""Ends of addresses that are neither a list nor a detail, and why."""

SEARCHES = {
    "models, searched": "models?search=del-1",
    "models, 200 a page": "models?limit=200",
    "runs, 200 a page": "runs?limit=200",
    "runs, searched by model": "runs?search=del-17",
    "runs, of one model": "runs?model={model_id}",
    "runs, failed": "runs?state=failed",
    "audit, by action": "audit?action=run.submit",
}
"""Lists as they are asked for beside their plain form."""


def number(kind: int, value: int) -> str:
    """The id of row `value` of a kind, as `fill.identity` makes it."""
    return str(uuid.UUID(f"0190{kind:04x}-0000-7000-8000-{value:012x}"))


def ids(size: fill.Size) -> dict[str, Any]:
    """A value for each parameter of an address: rows of tenant 1; its model is the deepest."""
    return {
        "tenant": "team-1",
        "model_id": number(fill.MODEL, 1),
        "run_id": number(fill.RUN, 1),
        "stream_id": number(fill.STREAM, 1),
        "partition_id": number(fill.PARTITION, 1001),
        "snapshot_id": number(fill.TEACHER, 3),
        "webhook_id": number(fill.WEBHOOK, 1),
        "delivery_id": number(fill.DELIVERY, 1),
        "export_id": number(fill.EXPORT, 1),
        "alias": "serving",
    }


def addresses(size: fill.Size) -> dict[str, str]:
    """Name -> path and query of every GET below a tenant that answers with a list or an object."""
    from api.base.routes import all_routes
    from api.base.routes import fill as filled

    values, found = ids(size), {}
    for route in all_routes():
        _, _, rest = route.pattern.partition("<slug:tenant>/")
        if route.method != "get" or not rest or rest in SKIPPED:
            continue
        known = values | {"id": number(fill.USER, (1001 if rest.startswith("members") else 2001))}
        found[rest] = filled(route.pattern, known)
    found |= {name: f"/api/v1/tenants/team-1/{query.format(**values)}" for name, query in SEARCHES.items()}
    return found
