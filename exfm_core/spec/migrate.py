"""Older forms of the stored specs, brought to today's one version at a time.

A spec is stored for good, and a lineage goes on with the checkpoint it began with: what version 1 said must mean the
same today. Each step takes a document of version n and returns one of version n + 1; it leaves what it does not know to
the decoder, which names it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from exfm_core.errors import SpecError

Step = Callable[[dict[str, Any]], dict[str, Any]]


def _one_task_to_tasks(spec: dict[str, Any]) -> dict[str, Any]:
    """Version 1 had one task per vertical model."""
    return {**spec, "model": vertical_model(spec["model"])} if isinstance(spec.get("model"), Mapping) else spec


def vertical_model(model: Mapping[str, Any]) -> dict[str, Any]:
    """A vertical model's shape without its spec around it, of any version, as version 2 writes it."""
    kept = {name: value for name, value in model.items() if name != "task" or "tasks" in model}
    return kept if "task" not in model or "tasks" in model else {**kept, "tasks": [model["task"]]}


VERTICAL: tuple[Step, ...] = (_one_task_to_tasks,)
FOUNDATION: tuple[Step, ...] = (dict,)


def migrate(data: Mapping[str, Any], steps: tuple[Step, ...], path: str) -> dict[str, Any]:
    """The document as the newest version writes it. SpecError if its version is none that this release reads.

    Without ``schema_version`` it is of the newest version, unless its model has ``task``, which only version 1 had.
    """
    newest = len(steps) + 1
    model = data.get("model")
    oldest = isinstance(model, Mapping) and "task" in model and "tasks" not in model
    version = data.get("schema_version", 1 if oldest else newest)
    if isinstance(version, bool) or not isinstance(version, int) or not 1 <= version <= newest:
        raise SpecError(
            "spec.schema_version",
            f"{path}.schema_version is {version!r}.",
            f"This release reads {' and '.join(str(number) for number in range(1, newest + 1))}.",
        )
    document = dict(data)
    for step in steps[version - 1 :]:
        document = step(document)
    return {**document, "schema_version": newest}
