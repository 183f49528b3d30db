"""What a training holds in memory at its peak, from the specs alone, and whether the machine has it. Torch-free.

Exact: tables, the row-wise Adagrad state of each row, dense weights of what is served. Estimated, upwards: heads of the
teacher, activations, the reader's buffers, the process itself. A checkpoint is written arm by arm: while it is, an
arm's state stands in memory three times more (a copy, its bytes, the file's bytes; measured).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psutil

from exfm_core.cost.serving import foundation_parameters, serving_cost
from exfm_core.cost.training import ARMS, VALUE_AND_GRADIENT, batch_bytes
from exfm_core.errors import CapacityError, SpecError
from exfm_core.spec import Feature, FoundationSpec, StreamSchema, VerticalSpec

FLOAT_BYTES = 4
ID_BYTES = 8
ADAM_FLOATS = 4
"""Per dense weight: itself, its gradient, two moments."""
CHECKPOINT_COPIES = 3
PROCESS_BYTES = 450_000_000
"""Python, PyTorch and TorchRec after the first step (measured: 404 MB)."""
MANAGED_ROW_BYTES = 72
"""Of an id map (`data.idmap`): 24 a row, up to 48 for the look-up."""
READER_COPIES = 6
"""Of a piece of a stream: Arrow columns twice (one ahead), joined, encoded, cut into batches, and one in flight."""
PIECE_ROWS = 16_384
"""Rows that a reader decodes at a time (`data.partitions`)."""
ROW_COLUMNS = 4
"""Event time, user key, label, bucket: eight bytes a row each at most."""


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Bytes at the peak. `tables` and `optimizer` (their Adagrad state) are exact; `dense` has Adam's moments in it;
    `ids`: the maps of managed features."""

    tables: int
    optimizer: int
    dense: int
    activations: int
    reader: int
    checkpoint: int
    ids: int = 0
    process: int = PROCESS_BYTES

    @property
    def total(self) -> int:
        """All of it."""
        return sum(getattr(self, name) for name in self.__slots__)

    def to_json(self) -> dict[str, int]:
        """Every part, and the total."""
        parts = {name: getattr(self, name) for name in self.__slots__}
        return parts | {"total": self.total}

    def __str__(self) -> str:
        parts = {name: value for name, value in self.to_json().items() if name != "total"}
        largest = sorted(parts.items(), key=lambda part: -part[1])[:3]
        return f"{size(self.total)} ({', '.join(f'{name} {size(value)}' for name, value in largest)}, …)"


def vertical_memory(spec: VerticalSpec, schema: StreamSchema, *, arms: int = ARMS, rows: int = 0) -> MemoryPlan:
    """Peak of training `arms` arms over partitions of up to `rows` rows (0: not known yet, so no reader is counted).

    SpecError if spec and schema do not fit together.
    """
    served, features = serving_cost(spec, schema), spec.model.resolve(schema)
    tables = served.table_parameters * FLOAT_BYTES
    optimizer = served.table_rows * FLOAT_BYTES
    dense = served.dense_parameters * ADAM_FLOATS * FLOAT_BYTES
    teacher = _teacher_parameters(spec) * ADAM_FLOATS * FLOAT_BYTES if arms > 1 else 0
    return MemoryPlan(
        tables=arms * tables,
        optimizer=arms * optimizer,
        dense=arms * dense + (arms - 1) * teacher,
        activations=batch_bytes(spec, schema) * arms // ARMS,
        reader=_reader(features, rows) + rows * (FLOAT_BYTES * (arms + 3) + ID_BYTES * 2),
        checkpoint=CHECKPOINT_COPIES * (tables + optimizer + dense + teacher),
        ids=arms * _managed(features),
    )


def foundation_memory(spec: FoundationSpec, *, rows: int = 0, streams: int = 1) -> MemoryPlan:
    """Peak of training on periods of up to `rows` rows (0: not known yet) of so many streams that are open at a time;
    the published snapshot stands beside the candidate."""
    model = spec.model
    table_rows = sum(feature.buckets for feature in model.features if feature.sparse) + model.tenant_slots
    tables = table_rows * model.embedding_dim * FLOAT_BYTES
    dense = foundation_parameters(spec) * FLOAT_BYTES - tables
    vectors = sum(f.max_length if f.kind == "sequence" else f.sparse for f in model.features) + 1
    width = 2 * vectors * model.embedding_dim * (1 + 3 * model.layers) + 2 * sum(model.mlp)
    state = tables + table_rows * FLOAT_BYTES + dense * ADAM_FLOATS
    return MemoryPlan(
        tables=2 * tables,
        optimizer=2 * table_rows * FLOAT_BYTES,
        dense=dense * (ADAM_FLOATS + 1),
        activations=spec.optimizer.batch_size * width * VALUE_AND_GRADIENT * 2 * FLOAT_BYTES,
        reader=_reader(model.features, rows) * streams + rows * ROW_COLUMNS * ID_BYTES,
        checkpoint=CHECKPOINT_COPIES * state,
        ids=2 * _managed(model.features),
    )


def require(plan: MemoryPlan, what: str, *, available: int | None = None, total: int | None = None) -> None:
    """Refuses what does not fit, before anything is allocated. `available`, `total`: bytes; None asks the machine.

    Raises SpecError where the machine could never hold it, CapacityError where only others' use is in the way.
    """
    have = total_bytes() if total is None else total
    if plan.total > have:
        raise SpecError(
            "memory.never_fits",
            f"{what} needs {plan}; this machine has {size(have)}.",
            "Give its features fewer buckets, lower embedding_dim or batch_size, or train it on a larger machine.",
        )
    free = available_bytes() if available is None else available
    if plan.total > free:
        raise CapacityError(
            "memory.no_room_now",
            f"{what} needs {plan}; {size(free)} of {size(have)} are free now.",
            "Wait until other work has ended, or run fewer workers on this machine.",
        )


def total_bytes() -> int:
    """What this process may ever use: physical memory, or the tightest control group's limit."""
    return min([int(psutil.virtual_memory().total), *(limit for limit, _ in _control_groups())])


def available_bytes() -> int:
    """What is free now, in the machine and in every control group above this process."""
    free = [limit - used for limit, used in _control_groups()]
    return max(0, min([int(psutil.virtual_memory().available), *free]))


def size(count: int) -> str:
    """Bytes for people."""
    for unit, scale in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count / 1000:.0f} kB"


def _teacher_parameters(spec: VerticalSpec) -> int:
    """AH, SA head and adapter of every task, taking the widest representation a backbone has."""
    levers, width = spec.supervision, spec.model.mlp[-1] + spec.model.embedding_dim
    heads = 2 * (width * levers.aux_width + 2 * levers.aux_width + 1)
    return len(spec.model.tasks) * (heads + 3 * levers.adapter_width + 1)


def _managed(features: tuple[Feature, ...]) -> int:
    return MANAGED_ROW_BYTES * sum(feature.buckets for feature in features if feature.managed)


def _row_bytes(features: tuple[Feature, ...]) -> int:
    """An encoded row, sequences at their full length: values, offsets, and the columns beside them."""
    ids = sum(max(1, feature.max_length) + 1 for feature in features if feature.sparse)
    return ID_BYTES * (ids + sum(not feature.sparse for feature in features) + ROW_COLUMNS)


def _reader(features: tuple[Feature, ...], rows: int) -> int:
    return READER_COPIES * min(rows, PIECE_ROWS) * _row_bytes(features)


def _control_groups() -> list[tuple[int, int]]:
    """(limit, used without reclaimable cache) of each control group (v2, or v1's memory controller) with a limit."""
    found = []
    for folder in _group_folders():
        for limit_file, used_file, cache in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            limit, used = _number(folder / limit_file), _number(folder / used_file)
            if limit is not None and used is not None and limit < 1 << 60:  # v1 writes a huge number for none
                found.append((limit, max(0, used - _statistic(folder / "memory.stat", cache))))
    return found


def _group_folders() -> list[Path]:
    root = Path("/sys/fs/cgroup")
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines()
    except OSError:
        return []
    folders = [root, root / "memory"]
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        base = root / controllers if controllers else root
        group = base / path.lstrip("/")
        folders += [folder for folder in (group, *group.parents) if folder.is_relative_to(base)]
    return list(dict.fromkeys(folder for folder in folders if folder.is_dir()))


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):  # "max", or no such file
        return None


def _statistic(file: Path, name: str) -> int:
    try:
        lines = dict(line.split() for line in file.read_text(encoding="ascii").splitlines())
        return int(lines.get(name, 0))
    except (OSError, ValueError):
        return 0
