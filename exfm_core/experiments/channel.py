"""Wider channels than a label, in the manner of foundation-expert and loop designs: what the teacher computes becomes
an input of the vertical model.

- **logit**: the teacher's logit of the row as a feature: an upper bound, because it needs the teacher at serving;
- **row vector**: its last hidden layer, drawn through a fixed random projection to 8 numbers: likewise;
- **item vector**: the teacher's embedding of the row's item in the newest snapshot, projected alike: can be served from
  a cache that is refreshed once a period, no teacher needed.

All come from the snapshot that may label the period. They change what the vertical model reads, and so its serving
cost; they are compared with the same control and with *strong*.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
import torch

from exfm_core.das.snapshots import Snapshot, load_snapshot, refuse_leak, save_snapshot
from exfm_core.data.encode import blocks, foundation_layout
from exfm_core.experiments import cache, figures, pool
from exfm_core.experiments.arms import CONTROL, STRONG
from exfm_core.experiments.cache import Arrays
from exfm_core.experiments.figures import FIRST_TENTH
from exfm_core.experiments.lab import BENCHES, Lab
from exfm_core.experiments.report import Report, Table
from exfm_core.experiments.stage import Stage
from exfm_core.experiments.targets import about
from exfm_core.experiments.work import Piece
from exfm_core.spec import FoundationSpec
from exfm_core.train.arms import Arm
from exfm_core.train.foundation import FoundationTrainer
from exfm_core.train.foundation_rows import Stream, with_tenant
from exfm_core.train.gate import Limits
from exfm_core.train.local import LocalPartition, LocalTenant
from exfm_core.train.rows import Cutter, Rows, spans

WIDTH = 8
TITLES = {"logit": "logit (upper bound)", "row": "row vector (upper bound)", "item": "item vector, cached"}
ITEM = {"globo": "article_id", "movielens-16": "movie_id", "tiny": "ad_id"}
_BATCH = 4096


def channel(lab: Lab, recipe: str) -> Report:
    """Logit, row vector and item vector as inputs, alone and beside *strong*, against the same control."""
    bench = BENCHES[recipe]
    stage = lab.stage(bench)
    arms = (CONTROL, Arm("strong", STRONG, gated=False))
    base = lab.study(bench, stage, lab.sample(bench), arms)
    report = Report(
        f"channel-{recipe}",
        f"Wider channels than a label, on {recipe}",
        "What does a vertical model gain that reads what the teacher computes: its logit (upper bound: needs the "
        "teacher at serving), a compressed vector of the row (likewise), or a cached vector of the item (does not)?",
        f"python -m exfm_core experiment channel-{recipe}{lab.flags}",
        about(bench, stage, lab),
    )
    table = Table("Lift over the control without any channel", ("input", "pooled", "first tenth", *lab.sample(bench)))
    table.add("none, strong", *_lifts(base, base, "strong", lab.sample(bench)))
    for source in TITLES:
        pieces = []
        for seed in lab.seeds:
            taught = lab.teach(stage, seed)
            name = vectors(lab, stage, replace(stage.foundation, seed=seed), ITEM[recipe], source, lab.sample(bench))
            for model in lab.sample(bench):
                spec = stage.students[model].spec
                pieces.append(Piece(stage, model, seed, arms, taught, spec, join=bench.join, columns=name))
        found = lab.run(pieces)
        title = TITLES[source]
        table.add(title, *_lifts(found, base, "control", lab.sample(bench)))
        table.add(f"{title}, and strong", *_lifts(found, base, "strong", lab.sample(bench)))
    table.remark = f"Vectors are {WIDTH} numbers wide. strong: gate left open."
    report.tables.append(table)
    report.seconds = lab.seconds
    return report


def _lifts(found: figures.Courses, base: figures.Courses, arm: str, models: tuple[str, ...]) -> list[figures.Figure]:
    each = [figures.lift(figures.of_models(found, [m]), arm, rivals=figures.of_models(base, [m])) for m in models]
    whole = figures.lift(found, arm, rivals=base)
    return [whole, figures.lift(found, arm, rivals=base, parts=FIRST_TENTH), *each]


def vectors(lab: Lab, stage: Stage, foundation: FoundationSpec, item: str, source: str, models: tuple[str, ...]) -> str:
    """Name of the columns in the cache, taught where they are missing."""
    slugs = tuple(sorted({stage.students[model].tenant for model in models}))
    made = {each: cache.key(f"columns-{each}", stage.name, foundation, item, slugs) for each in TITLES}
    if not all(lab.store.has(name) for name in made.values()):
        pool.settle()
        for each, arrays in _vectors(stage, foundation, item, slugs).items():
            lab.store.keep(made[each], arrays)
    return made[source]


def _vectors(stage: Stage, foundation: FoundationSpec, item: str, slugs: tuple[str, ...]) -> dict[str, Arrays]:
    trainer = FoundationTrainer(foundation)
    snapshot: Snapshot | None = None
    found: dict[str, Arrays] = {"logit": {}, "row": {}, "item": {}}
    for number, period in enumerate(stage.periods):
        for slug, partition in period.items():
            if snapshot is not None and slug in slugs:
                refuse_leak(datetime.fromisoformat(snapshot.watermark), partition.start)
                for each, values in read(snapshot, partition, stage.tenants[slug], item).items():
                    found[each][f"{slug}|{number}"] = values
        streams = [Stream(p.open(), stage.tenants[n].schema, stage.tenants[n].slot) for n, p in period.items()]
        outcome = trainer.train(streams, snapshot, Limits())
        if outcome.judgement.decision == "publish":
            watermark = max(partition.end for partition in period.values()).isoformat()
            snapshot = load_snapshot(save_snapshot(trainer.net, foundation, watermark, trainer.slots))
    return found


@torch.no_grad()
def read(snapshot: Snapshot, partition: LocalPartition, tenant: LocalTenant, item: str) -> dict[str, np.ndarray]:
    """Logits [rows, heads], row vectors and item vectors [rows, 8] of one partition by one snapshot."""
    net, model = snapshot.net, snapshot.spec.model
    place = [feature.name for feature in model.features if feature.sparse].index(item)
    table = net.tables.kernel.weights[net.tables.names.index(item)]
    logits, rows_x, items = [], [], []
    for block in blocks(partition.open(), foundation_layout(model, tenant.schema), _BATCH):
        rows = with_tenant(Rows.of(block, snapshot.slot(tenant.slot)))
        cutter, slots = Cutter(rows), torch.from_numpy(rows.slots)
        for start, stop in spans(len(rows), _BATCH):
            inputs = cutter.inputs(start, stop)
            logits.append(net(inputs, slots[start:stop], checked=True).numpy())
            x = net.backbone(net.tables(inputs, checked=True), inputs.dense_bn)
            rows_x.append(x.numpy() @ projection(x.shape[1]))
        items.append(table[torch.from_numpy(block.values[place])].numpy() @ projection(table.shape[1]))
    return {"logit": np.concatenate(logits), "row": np.concatenate(rows_x), "item": np.concatenate(items)}


def projection(width: int) -> np.ndarray:
    """A fixed random projection [width, 8] that keeps lengths on average; the identity where 8 is the width."""
    if width == WIDTH:
        return np.eye(WIDTH, dtype=np.float32)
    drawn = np.random.default_rng(width).normal(size=(width, WIDTH)) / np.sqrt(WIDTH)
    return np.asarray(drawn, np.float32)
