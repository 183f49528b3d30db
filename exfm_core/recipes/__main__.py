"""``python -m exfm_core.recipes NAME``: run a recipe in one process, without the platform, and print its table.

For tuning and for checking docs/results/recipes.md. Torch is imported only here, when the command runs.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from exfm_core.data.partitions import write_partition
from exfm_core.errors import ExfmError
from exfm_core.metrics.sums import BucketSums, Lift, pooled_lift
from exfm_core.recipes import RECIPES, Recipe, TenantRecipe, load
from exfm_core.spec import Optimizer, Supervision
from exfm_core.train.local import Course, LocalPartition, LocalTenant, Teaching, study, teach
from exfm_core.train.runtime import configure

Logits = npt.NDArray[np.float32]
CERTAIN = 8.0


def main(argv: Sequence[str]) -> int:
    """Return 0 when the table was printed, 1 with a sentence when something failed."""
    options = arguments(argv)
    try:
        configure(options.threads)
        recipe = load(options.name, seed=options.seed)
        with tempfile.TemporaryDirectory(prefix="exfm-recipe-") as folder:
            run(recipe, Path(folder), options)
    except ExfmError as error:
        print(f"{options.name}: {error}", file=sys.stderr)
        return 1
    return 0


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m exfm_core.recipes", description="Run a recipe in one process.")
    parser.add_argument("name", help=f"one of: {', '.join(sorted(RECIPES))}")
    parser.add_argument("--seed", type=int, default=0, help="of the data (synthetic) and of all weights")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--preset", choices=("safe", "strong"), help="for all vertical models, instead of their own")
    parser.add_argument("--placebo", choices=("shuffle", "constant", "truth"), help="in place of the teacher's labels")
    parser.add_argument("--ungated", action="store_true", help="leave the label gate open")
    parser.add_argument("--dense-lr", type=float, default=1.0, help="factor on the vertical models' dense rate")
    parser.add_argument("--embedding-lr", type=float, default=1.0, help="factor on their embedding rate")
    return parser.parse_args(list(argv))


def run(recipe: Recipe, folder: Path, options: argparse.Namespace) -> None:
    """Teach, study every vertical model, print one line each and the pooled lift."""
    periods = [store(recipe, period, folder) for period in range(recipe.periods)]
    tenants = {tenant.slug: LocalTenant(tenant.schema, slot) for slot, tenant in enumerate(recipe.tenants, 1)}
    print(recipe.title)
    teaching = teach(recipe.foundation, tenants, periods)
    seconds = sum(outcome.seconds["total"] for outcome in teaching.outcomes)
    kept = [str(i) for i, outcome in enumerate(teaching.outcomes) if outcome.judgement.decision != "publish"]
    print(f"teacher trained in {seconds:.1f} s; candidates not published: {', '.join(kept) or 'none'}")
    print(f"{'tenant':18}{'rows':>8}{'control':>9}{'treatment':>11}{'lift %':>8}  95 % interval   gate")
    pairs: list[tuple[BucketSums, BucketSums]] = []
    for tenant in recipe.tenants:
        course = train(recipe, tenant, periods, teaching, options)
        pairs.append((course.sums("control"), course.sums("treatment")))
        gates = "".join("1" if gate else "0" for gate in course.gates)
        figures = f"{course.ne('control') or 0:9.4f}{course.ne('treatment') or 0:11.4f}"
        print(f"{tenant.slug:18}{pairs[-1][0].rows:8}{figures}{shown(course.lift())}   {gates}", flush=True)
    pooled = pooled_lift(pairs)
    print(f"{'pooled':18}{pooled.rows:8}{'':20}{shown(pooled)}")


def store(recipe: Recipe, period: int, folder: Path) -> Mapping[str, LocalPartition]:
    """Write one period's partitions and return them by tenant."""
    found, parts = {}, recipe.partitions(period)
    for tenant in recipe.tenants:
        start, end, table = parts[tenant.slug]
        path = folder / f"{tenant.slug}-{period}.parquet"
        found[tenant.slug] = LocalPartition(path, write_partition(path, table, tenant.schema).rows, start, end)
    return found


def train(
    recipe: Recipe,
    tenant: TenantRecipe,
    periods: Sequence[Mapping[str, LocalPartition]],
    teaching: Teaching,
    options: argparse.Namespace,
) -> Course:
    """Run one vertical model's control and treatment from its launch on."""
    spec, task = tenant.vertical, tenant.schema.task(tenant.vertical.model.task)
    rates = spec.optimizer
    optimizer = Optimizer(
        rates.batch_size, rates.dense_lr * options.dense_lr, rates.embedding_lr * options.embedding_lr
    )
    spec = replace(spec, optimizer=optimizer)
    if options.preset:
        spec = replace(spec, supervision=Supervision(options.preset))
    partitions = [period[tenant.slug] for period in periods[recipe.warm_up :]]
    labels = [taught.get(tenant.slug, {}).get(task.kind) for taught in teaching.labels[recipe.warm_up :]]
    if options.placebo:
        rng = np.random.default_rng(options.seed)
        pairs = zip(labels, partitions, strict=True)
        labels = [
            None if logits is None else placebo(options.placebo, logits, partition, task.label, rng)
            for logits, partition in pairs
        ]
    return study(spec, tenant.schema, partitions, labels, gated=not options.ungated)


def placebo(kind: str, logits: Logits, partition: LocalPartition, label: str, rng: np.random.Generator) -> Logits:
    """Labels that hold nothing of a teacher's knowledge: shuffled, one constant, or the true label again."""
    if kind == "shuffle":
        return rng.permutation(logits)
    if kind == "constant":
        return np.full_like(logits, logits.mean())
    truth = pq.read_table(partition.open(), columns=[label]).column(0).to_numpy()
    return np.where(truth > 0, CERTAIN, -CERTAIN).astype(np.float32)


def shown(figure: Lift) -> str:
    """Lift and interval for a table."""
    if figure.value is None or figure.low is None or figure.high is None:
        return f"{'–':>8}  {figure.reason}"
    return f"{figure.value:+8.2f}  [{figure.low:+.2f}, {figure.high:+.2f}]"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
