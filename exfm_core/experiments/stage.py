"""A recipe's partitions, written once as Parquet files that all processes read."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from exfm_core.data.partitions import write_partition
from exfm_core.experiments import cache
from exfm_core.experiments.cache import Cache
from exfm_core.recipes import load_study
from exfm_core.spec import FoundationSpec, StreamSchema, VerticalSpec
from exfm_core.train.local import LocalPartition, LocalTenant


@dataclass(frozen=True, slots=True)
class Student:
    """A vertical model of a recipe: whose stream it reads, and its spec."""

    tenant: str
    spec: VerticalSpec


@dataclass(frozen=True, slots=True)
class Stage:
    """A recipe whose rows lie on disk. ``periods[t][tenant]``: partition; ``name`` identifies content."""

    name: str
    title: str
    tenants: Mapping[str, LocalTenant]
    students: Mapping[str, Student]
    foundation: FoundationSpec
    periods: tuple[Mapping[str, LocalPartition], ...]
    warm_up: int

    def stream(self, tenant: str, launch: int, join: int = 1) -> list[tuple[list[int], LocalPartition]]:
        """One tenant's partitions from period ``launch`` on, each with the numbers of the periods in it.

        ``join`` periods make one partition, so that a vertical model may step less often than its teacher.
        """
        found = []
        for first in range(launch, len(self.periods), join):
            numbers = [t for t in range(first, min(first + join, len(self.periods))) if tenant in self.periods[t]]
            if numbers:
                found.append((numbers, joined([self.periods[t][tenant] for t in numbers])))
        return found


def joined(parts: list[LocalPartition]) -> LocalPartition:
    """Neighbouring partitions as one, in memory; a single one stays as it is."""
    if len(parts) == 1:
        return parts[0]
    sink = io.BytesIO()
    table = pa.concat_tables([pq.read_table(part.open()) for part in parts]).combine_chunks()
    pq.write_table(table, sink, compression="none", row_group_size=max(1, table.num_rows))
    return LocalPartition(sink.getvalue(), table.num_rows, parts[0].start, parts[-1].end)


def stage(name: str, store: Cache, **options: Any) -> Stage:
    """Return the recipe's stage, writing its partitions where they are missing. DataError as the recipe says."""
    title = cache.key("stage", name, options)
    folder = store.folder / title
    recipe = load_study(name, **options)
    index = folder / "index.json"
    if not index.exists():
        scratch = store.folder / f".{title}.{os.getpid()}"
        scratch.mkdir()
        rows = []
        for period in range(recipe.periods):
            line = {}
            for slug, (start, end, table) in recipe.partitions(period).items():
                if table.num_rows:
                    schema = next(tenant.schema for tenant in recipe.tenants if tenant.slug == slug)
                    write_partition(scratch / f"{slug}-{period}.parquet", table, schema)
                    line[slug] = [table.num_rows, start.isoformat(), end.isoformat()]
            rows.append(line)
        (scratch / "index.json").write_text(json.dumps(rows))
        shutil.rmtree(folder, ignore_errors=True)
        scratch.rename(folder)
    return Stage(
        title,
        recipe.title,
        {tenant.slug: LocalTenant(tenant.schema, slot) for slot, tenant in enumerate(recipe.tenants, 1)},
        {model: Student(tenant.slug, spec) for tenant in recipe.tenants for model, spec in tenant.models.items()},
        recipe.foundation,
        tuple(
            {
                slug: LocalPartition(
                    str(folder / f"{slug}-{period}.parquet"),
                    rows,
                    datetime.fromisoformat(start),
                    datetime.fromisoformat(end),
                )
                for slug, (rows, start, end) in line.items()
            }
            for period, line in enumerate(json.loads(index.read_text()))
        ),
        recipe.warm_up,
    )


def schema_of(stage: Stage, student: str) -> StreamSchema:
    """The stream schema that a vertical model reads."""
    return stage.tenants[stage.students[student].tenant].schema


def cache_folder(given: str | None) -> Path:
    """The cache's folder: as asked for, else ``var/experiments``."""
    return Path(given) if given else Path("var/experiments")
