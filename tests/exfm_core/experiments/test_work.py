"""Pieces of work: the same figures as the local study, delays that look back, columns and starters that arrive."""

from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from exfm_core.experiments import figures
from exfm_core.experiments.arms import CONTROL, SAFE, STRONG, VARIANTS, named, of_seed
from exfm_core.experiments.cache import Cache
from exfm_core.experiments.lab import BENCHES, Lab
from exfm_core.experiments.stage import Stage, stage
from exfm_core.experiments.teaching import Teaching, teach
from exfm_core.experiments.work import PARTS, Piece, Result
from exfm_core.metrics.sums import BucketSums
from exfm_core.spec import Optimizer
from exfm_core.train import local
from exfm_core.train.arms import Arm

ARMS = (CONTROL, Arm("strong, open", STRONG, gated=False))


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(Cache(tmp_path_factory.mktemp("experiments")), seeds=(0,))


@pytest.fixture(scope="module")
def tiny(lab: Lab) -> Stage:
    return stage("tiny", lab.store)


@pytest.fixture(scope="module")
def taught(lab: Lab, tiny: Stage) -> Teaching:
    return teach(tiny, lab.store, tiny.foundation, delays=(1, 2))


def test_labels_and_figures_are_those_of_the_local_study(lab: Lab, tiny: Stage, taught: Teaching) -> None:
    reference = local.teach(tiny.foundation, tiny.tenants, tiny.periods)
    student = tiny.students["shop-click"]
    mine = taught.labels(1, student.tenant, "click")
    for t in range(1, len(tiny.periods)):
        np.testing.assert_array_equal(mine[t], reference.labels[t][student.tenant]["click"])
    partitions = [period[student.tenant] for period in tiny.periods[tiny.warm_up :]]
    labels = [found[student.tenant]["click"] for found in reference.labels[tiny.warm_up :]]
    course = local.study(student.spec, tiny.tenants[student.tenant].schema, partitions, labels, arms=ARMS)
    result = Piece(tiny, "shop-click", 0, ARMS, taught, student.spec).done(lab.store)
    for arm in ("control", "strong, open"):
        np.testing.assert_allclose(result.sums(arm).loss.sum(), course.sums(arm).loss.sum(), rtol=1e-12)
    found = figures.lift({("shop-click", 0): result}, "strong, open")
    assert found.value == pytest.approx(course.lift("strong, open").value) and found.spread is None


def test_a_delayed_label_is_the_older_snapshots(tiny: Stage, taught: Teaching) -> None:
    new, old = (taught.labels(delay, "northwind-shop", "click") for delay in (1, 2))
    assert set(old) == set(new) - {1}
    assert not np.array_equal(new[2], old[2])


def test_joined_periods_hold_the_same_rows(tiny: Stage) -> None:
    single, pairs = (tiny.stream("northwind-shop", 0, join) for join in (1, 2))
    assert [numbers for numbers, _ in pairs] == [[0, 1], [2, 3]]
    rows = [pq.read_table(part.open(), columns=["event_time"]).column(0).to_pylist() for _, part in single]
    (_, first), _ = pairs
    assert pq.read_table(first.open(), columns=["event_time"]).column(0).to_pylist() == rows[0] + rows[1]
    assert first.rows == len(rows[0]) + len(rows[1]) and first.end == single[1][1].end


def test_an_added_column_is_read_row_by_row(lab: Lab, tiny: Stage, taught: Teaching) -> None:
    """With its own label as a column a model is nearly perfect; one row's slip would show."""
    student = tiny.students["shop-click"]
    column = tiny.tenants[student.tenant].schema.task("click").label
    labels = {
        f"{student.tenant}|{t}": 4.0 * pq.read_table(period[student.tenant].open(), columns=[column])[0].to_numpy()
        for t, period in enumerate(tiny.periods)
    }
    lab.store.keep("columns-test", {name: each[:, None].astype(np.float32) for name, each in labels.items()})
    quick = replace(student.spec, optimizer=Optimizer(16, 0.01, 0.05))
    found = Piece(tiny, "shop-click", 0, (CONTROL,), taught, quick, columns="columns-test").done(lab.store)
    assert figures.ne({("shop-click", 0): found}, "control") < 0.2


def test_a_starter_leaves_the_newcomers_rows_out_and_moves_the_first_prediction(
    lab: Lab, tiny: Stage, taught: Teaching
) -> None:
    name = lab.starter(tiny, "shop-click", 0, ["shop-click"])
    arms = (Arm("cold"), Arm("started", starter=True))
    spec = tiny.students["shop-click"].spec
    result = Piece(tiny, "shop-click", 0, arms, taught, spec, starter=name).done(lab.store)
    assert figures.lift({("shop-click", 0): result}, "started", over="cold").value != 0.0


def test_figures_pool_losses_and_keep_seeds_apart() -> None:
    def result(treated: float) -> Result:
        n = np.full(256, 10.0)
        parts = {
            name: tuple(BucketSums(n, n / 2, n * loss, n / 2) for _ in range(PARTS))
            for name, loss in (("control", 0.7), ("arm", treated))
        }
        return Result(parts, {}, {"control": None, "arm": None}, {"total": 1.0})

    courses = {("a", 0): result(0.63), ("b", 0): result(0.7), ("a", 1): result(0.7), ("b", 1): result(0.7)}
    found = figures.lift(courses, "arm")
    assert found.value == pytest.approx(2.5) and found.seeds == pytest.approx((5.0, 0.0))
    assert found.spread == pytest.approx(5.0 / 2**0.5)
    assert found.above_zero and not found.harm


def test_arms_are_named_once_and_checks_run_for_the_first_seed_only() -> None:
    arms = named(("safe", "strong", "neighbours", "placebos", "safe-placebos"))
    assert len({arm.name for arm in arms}) == len(arms)
    kept = {arm.name for arm in of_seed(arms, first=False)}
    assert {"control", "safe", "strong"} <= kept and not any("placebo" in name or "÷" in name for name in kept)
    assert VARIANTS["AH + SA (safe)"] is SAFE


def test_no_bench_reports_on_a_model_that_tuned_it() -> None:
    for bench in BENCHES.values():
        reported = [model for models in bench.groups.values() for model in models]
        assert len(set(reported)) == len(reported) and not set(reported) & set(bench.tuning)
        assert set(bench.sample) <= set(reported)
