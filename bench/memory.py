"""Peak memory beside the tables: streaming, vm.train, fm.train and das.score over partitions far larger than it.

    python -m bench.memory                                  10 partitions of 1.5 GB of decoded columns each
    python -m bench.memory --gigabytes 0.15 --partitions 3  smaller, the same code

Every job runs in a process of its own, which counts its resident set from after its imports and models. One file
stands for all partitions of a set; vm.train, fm.train and das.score take one partition, since they hold nothing from
one to the next. 30 columns of 8 bytes; ids of 100 kinds, so that the tables are small beside what is measured.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from exfm_core.data.partitions import ROW_GROUP_ROWS
from exfm_core.spec import (
    Feature,
    FoundationModel,
    FoundationSpec,
    Optimizer,
    StreamSchema,
    Supervision,
    Task,
    VerticalModel,
    VerticalSpec,
)

COLUMNS = 30
JOBS = ("stream", "vm.train", "fm.train", "das.score")
ALLOWANCE_MB = 1536
NAMES = tuple(f"c{i}" for i in range(COLUMNS - 1))
SCHEMA = StreamSchema(
    tuple(Feature(name, buckets=100, catalogue=name) for name in NAMES),
    (Task("click", "click", "click"),),
    user_key="c0",
)
VERTICAL = VerticalSpec(
    VerticalModel(NAMES, ("click",), embedding_dim=4, mlp=(8,), head_width=4),
    Optimizer(batch_size=4096),
    Supervision("custom", w=1.0, w_sa=0.0, w_kd=0.0, aux_width=4),
)
FOUNDATION = FoundationSpec(
    FoundationModel(SCHEMA.features, embedding_dim=4, mlp=(8,), tenant_slots=4), Optimizer(batch_size=4096)
)


def write(path: Path, rows: int) -> None:
    """One partition, written row group by row group."""
    rng = np.random.default_rng(0)
    fields = [pa.field("event_time", pa.timestamp("us", tz="UTC")), *(pa.field(n, pa.int64()) for n in NAMES)]
    with pq.ParquetWriter(path, pa.schema([*fields, pa.field("click", pa.int8())]), compression="zstd") as writer:
        for first in range(0, rows, ROW_GROUP_ROWS):
            count = min(ROW_GROUP_ROWS, rows - first)
            columns = [pa.array(np.arange(first, first + count)).cast(fields[0].type)]
            columns += [pa.array(rng.integers(0, 100, count)) for _ in NAMES]
            columns.append(pa.array(rng.integers(0, 2, count).astype(np.int8)))
            writer.write_table(pa.Table.from_arrays(columns, schema=writer.schema), row_group_size=ROW_GROUP_ROWS)


def measure(job: str, path: Path, rows: int, partitions: int) -> None:
    """Runs one job and prints what it took."""
    # Imported here: the process that only writes needs no torch.
    import torch

    from exfm_core.das.scorer import score
    from exfm_core.das.snapshots import Snapshot
    from exfm_core.data.encode import blocks, vertical_layout
    from exfm_core.train.foundation import FoundationTrainer
    from exfm_core.train.foundation_rows import Stream
    from exfm_core.train.gate import Limits
    from exfm_core.train.rows import Cutter, Rows, spans
    from exfm_core.train.vertical import VerticalTrainer

    torch.set_num_threads(1)
    vertical = VerticalTrainer(VERTICAL, SCHEMA, ("control", "treatment"))
    foundation = FoundationTrainer(FOUNDATION)
    logits = np.zeros(rows, np.float32)
    before, started = peak(), time.perf_counter()
    if job == "stream":
        layout = vertical_layout(VERTICAL.model, SCHEMA)
        for _ in range(partitions):
            for block in blocks(path, layout, 4096):
                cutter = Cutter(Rows.of(block))
                for start, stop in spans(block.rows, 4096):
                    cutter.inputs(start, stop)
    elif job == "vm.train":
        vertical.train(path, rows, logits, True)
    elif job == "fm.train":
        foundation.train([Stream(path, SCHEMA, 1)], None, Limits())
    else:
        now = datetime(1970, 1, 1, tzinfo=UTC).isoformat()
        score(Snapshot(foundation.net, FOUNDATION, now, frozenset({1})), path, SCHEMA, 1)
    total = rows * (partitions if job == "stream" else 1)
    seconds = time.perf_counter() - started
    decoded = total * COLUMNS * 8 / 2**30
    print(
        f"{job:10} {decoded:7.2f} GiB decoded  peak {peak() - before:5} MB (limit {ALLOWANCE_MB})  "
        f"{total / seconds / 1e3:7.0f} k rows/s",
        flush=True,
    )


def peak() -> int:
    """Largest resident set so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def main() -> None:
    """Writes one partition, then measures every job in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=1.5, help="decoded size of a partition")
    parser.add_argument("--partitions", type=int, default=10)
    parser.add_argument("--job", choices=JOBS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    rows = int(options.gigabytes * 2**30 / (COLUMNS * 8))
    if options.job:
        measure(options.job, options.file, rows, options.partitions)
        return
    with tempfile.TemporaryDirectory(prefix="exfm-bench-") as folder:
        path = Path(folder) / "partition.parquet"
        write(path, rows)
        print(f"{rows} rows of {COLUMNS} columns a partition, {path.stat().st_size >> 20} MB as Parquet", flush=True)
        for job in JOBS:
            shape = ["--gigabytes", str(options.gigabytes), "--partitions", str(options.partitions)]
            command = [sys.executable, "-m", "bench.memory", *shape, "--job", job, "--file", str(path)]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
