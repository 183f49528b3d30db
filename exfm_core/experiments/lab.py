"""What all experiments work with: stages, teachers of each seed, and pieces of work, through one cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from exfm_core.experiments import cache, pool
from exfm_core.experiments import stage as stages
from exfm_core.experiments import teaching as teachings
from exfm_core.experiments.arms import of_seed
from exfm_core.experiments.cache import Cache
from exfm_core.experiments.stage import Stage
from exfm_core.experiments.teaching import Teaching
from exfm_core.experiments.work import Piece, Result
from exfm_core.spec import FoundationSpec
from exfm_core.train.arms import Arm
from exfm_core.train.starters import pooled_reference, train_starter

Courses = dict[tuple[str, int], Result]


@dataclass(frozen=True, slots=True)
class Bench:
    """How a recipe is measured. ``tuning``: the models whose streams chose rates and sizes; ``groups``: models that are
    reported, by group; ``sample``: those of experiments that need not run all; ``started``: those of starters (all by
    default); ``once``: those of the first seed alone; ``join``: teacher's periods in one partition of a model."""

    recipe: str
    tuning: tuple[str, ...]
    groups: dict[str, tuple[str, ...]]
    sample: tuple[str, ...]
    started: tuple[str, ...] = ()
    once: tuple[str, ...] = ()
    join: int = 1
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def models(self) -> tuple[str, ...]:
        """All models, tuning ones first."""
        return (*self.tuning, *(model for models in self.groups.values() for model in models))


_GENRES = ("war-western", "family", "scifi-fantasy", "crime-mystery", "action-thriller", "comedy-romance")
_TASKS = {
    "horror": "love",
    "war-western": "like",
    "family": "love",
    "scifi-fantasy": "like",
    "crime-mystery": "love",
    "action-thriller": "like",
    "comedy-romance": "love",
    "drama": "like",
}
BENCHES: dict[str, Bench] = {
    "movielens-16": Bench(
        "movielens-16",
        ("horror-love", "horror-like", "drama-love", "drama-like"),
        {
            "like": tuple(f"{genre}-like" for genre in _GENRES),
            "love": tuple(f"{genre}-love" for genre in _GENRES),
        },
        sample=("war-western-like", "family-love", "crime-mystery-like", "scifi-fantasy-love"),
        started=("war-western-like", "family-love", "crime-mystery-like", "scifi-fantasy-love"),
    ),
    "globo": Bench(
        "globo",
        ("t4-click", "t2-click"),
        {"small": ("t5-click", "t6-click", "t7-click"), "large": ("t0-click", "t1-click")},
        sample=("t5-click", "t6-click", "t7-click"),
        started=("t5-click", "t6-click", "t7-click"),
        once=("t4-click", "t2-click"),
        join=4,
    ),
    "synthetic": Bench(
        "synthetic",
        (),
        {"all": ("shop-click", "install-conversion", "feed-click", "booking-conversion")},
        ("shop-click", "feed-click"),
    ),
    "tiny": Bench("tiny", (), {"all": ("shop-click", "install-conversion", "feed-click")}, ("shop-click",)),
    "movielens-1m": Bench(
        "movielens-1m",
        (),
        {"all": tuple(f"{genre}-{task}" for genre, task in _TASKS.items())},
        (),
    ),
}


@dataclass(slots=True)
class Lab:
    """``seconds``: processor time of what was asked for, whether done now or found in the cache. ``models``: those of
    experiments on a sample, in place of the bench's."""

    store: Cache
    seeds: tuple[int, ...] = (0, 1, 2)
    jobs: int = 1
    seconds: float = 0.0
    models: tuple[str, ...] = ()

    @property
    def flags(self) -> str:
        """What the command line needs besides the name for the same seeds."""
        chosen = f" --models {','.join(self.models)}" if self.models else ""
        return chosen + ("" if len(self.seeds) == 3 else f" --seeds {len(self.seeds)}")

    def sample(self, bench: Bench) -> tuple[str, ...]:
        """The models of experiments that need not run all."""
        return self.models or bench.sample

    def stage(self, bench: Bench, **options: Any) -> Stage:
        """The recipe's rows on disk."""
        return stages.stage(bench.recipe, self.store, **{**bench.options, **options})

    def teach(
        self,
        stage: Stage,
        seed: int,
        foundation: FoundationSpec | None = None,
        delays: Sequence[int] = (1,),
        **more: Any,
    ) -> Teaching:
        """The label sets of one seed's teacher."""
        pool.settle()
        found = teachings.teach(stage, self.store, foundation or stage.foundation, seed=seed, delays=delays, **more)
        self.seconds += sum(found.about["seconds"].values())
        return found

    def run(self, pieces: Sequence[Piece]) -> Courses:
        """Results by model and seed."""
        results = pool.work(pieces, self.store, self.jobs)
        self.seconds += sum(result.seconds["total"] for result in results)
        return {(piece.student, piece.seed): result for piece, result in zip(pieces, results, strict=True)}

    def study(
        self,
        bench: Bench,
        stage: Stage,
        models: Sequence[str],
        arms: Sequence[Arm],
        *,
        foundation: FoundationSpec | None = None,
        delays: Sequence[int] = (1,),
        **more: Any,
    ) -> Courses:
        """Teach each seed's teacher and run the models under it. ``more``: fields of `Piece`."""
        pieces = []
        for seed in self.seeds:
            taught = self.teach(stage, seed, foundation, delays)
            for model in models:
                if model in bench.once and seed != self.seeds[0]:
                    continue
                settings = {"join": bench.join, **more}
                run = of_seed(arms, first=seed == self.seeds[0])
                pieces.append(Piece(stage, model, seed, run, taught, stage.students[model].spec, **settings))
        return self.run(pieces)

    def starter(self, stage: Stage, model: str, seed: int, newcomers: Sequence[str]) -> str:
        """Name of a starter for ``model``: its shape, trained before the launch on the tenants of no ``newcomers``."""
        student = stage.students[model]
        spec = replace(student.spec, seed=seed)
        kind = stage.tenants[student.tenant].schema.task(spec.model.task).kind
        kept_out = {student.tenant, *(stage.students[newcomer].tenant for newcomer in newcomers)}
        others = {
            name: tenant.schema
            for name, tenant in stage.tenants.items()
            if name not in kept_out and any(task.kind == kind for task in tenant.schema.tasks)
        }
        name = cache.key("starter", stage.name, spec, sorted(others))
        if not self.store.has(name):
            pool.settle()
            schema = stage.tenants[student.tenant].schema
            data = train_starter(spec, schema, others, stage.periods[: stage.warm_up])
            self.store.keep(name, {"starter": np.frombuffer(data, np.uint8)})
        return name

    def pooled(self, stage: Stage, model: str, seed: int) -> dict[str, np.ndarray]:
        """Sums [4, 256] per tenant, since the launch, of one model of ``model``'s shape shared by all tenants."""
        student = stage.students[model]
        spec, schema = replace(student.spec, seed=seed), stage.tenants[student.tenant].schema
        name = cache.key("pooled", stage.name, spec)

        def make() -> dict[str, np.ndarray]:
            pool.settle()
            streams = {slug: tenant.schema for slug, tenant in stage.tenants.items()}
            found: dict[str, np.ndarray] = {}
            for sums in pooled_reference(spec, schema, streams, stage.periods)[stage.warm_up :]:
                for slug, each in sums.items():
                    found[slug] = found.get(slug, 0.0) + np.stack([each.n, each.y, each.loss, each.p])
            return found

        return self.store.made(name, make)
