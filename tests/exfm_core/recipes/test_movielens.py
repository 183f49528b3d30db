"""The MovieLens recipe: disjoint tenants, a common grid that splits no second, labels that no feature knows."""

from pathlib import Path

import numpy as np
import pytest

from exfm_core.data.partitions import write_partition
from exfm_core.data.public import movielens as raw
from exfm_core.data.validate import validate_partition
from exfm_core.errors import DataError
from exfm_core.recipes import load, movielens
from exfm_core.spec import FoundationSpec, VerticalSpec
from tests.exfm_core.data.raw_movielens import real_root, write_raw


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_raw(tmp_path / "data" / "ml-1m", users=200)
    return tmp_path / "data"


def test_partitions_are_valid_disjoint_and_complete(root: Path, tmp_path: Path) -> None:
    recipe = movielens.recipe(root=root, periods=6, warm_up=2)
    assert recipe.title.startswith("ML-1M, users 1–200")
    total, last = 0, None
    for period in range(recipe.periods):
        parts = recipe.partitions(period)
        (interval,) = {(start, end) for start, end, _ in parts.values()}
        assert last is None or interval[0] == last
        assert all(moment.timestamp() % recipe.period_seconds == 0 for moment in interval)
        last = interval[1]
        for tenant in recipe.tenants:
            content = parts[tenant.slug][2]
            total += content.num_rows
            write_partition(tmp_path / "p", content, tenant.schema)
            report = validate_partition(tmp_path / "p", tenant.schema, *interval)
            assert report.problems == () or content.num_rows == 0
        if period == recipe.warm_up:
            assert interval[0] == recipe.launch
    assert total == 200 * 40


def test_every_team_has_a_domain_and_tasks_differ() -> None:
    tenants = [movielens.tenant(slug, 0) for slug in movielens.GROUPS]
    assert {tenant.vertical.model.task for tenant in tenants} == {"like", "love"}
    assert len({tenant.slug for tenant in tenants}) == len({tenant.domain for tenant in tenants}) == 8
    for tenant in tenants:
        assert VerticalSpec.from_json(tenant.vertical.to_json()) == tenant.vertical
        assert "user_id" not in tenant.vertical.model.features


def test_statistics_are_of_the_strict_past(root: Path) -> None:
    log = raw.read(raw.find(root))
    table = movielens.rows(log)
    count, recent = table.column("user_count").to_numpy(), table.column("recent_likes").to_pylist()
    for i in range(0, len(log.user), 37):
        before = (log.user == log.user[i]) & (log.time < log.time[i])
        assert count[i] == pytest.approx(np.log1p(before.sum()) / 3 - 1, abs=1e-6)
        assert recent[i] == log.movie[before & (log.rating >= 4)][-movielens.RECENT :].tolist()


def test_own_label_does_not_move_own_features(root: Path) -> None:
    """Turning one rating around changes no feature of its own row, nor of any row of the same second or before."""
    log = raw.read(raw.find(root))
    row = 4000
    turned = log.rating.copy()
    turned[row] = 5 if log.rating[row] < 4 else 1
    changed = raw.Log(
        log.name, log.user, log.movie, turned, log.time, log.gender, log.age, log.occupation, log.zip_region, log.year,
        log.genres,
    )  # fmt: skip
    features = [feature.name for feature in movielens.CATALOGUE]
    past = int((log.time <= log.time[row]).sum())
    assert movielens.rows(changed).select(features).slice(0, past) == movielens.rows(log).select(features).slice(
        0, past
    )


@pytest.mark.parametrize("periods", [1, 7, 16])
def test_edges_are_whole_hours_of_nearly_equal_counts(periods: int) -> None:
    rng = np.random.default_rng(0)
    time = np.sort(970_000_000 + rng.integers(0, 90 * 86_400, 50_000))
    edges = movielens.period_edges(time, periods)
    sizes = np.diff(np.searchsorted(time, edges))
    assert (edges % 3600 == 0).all() and (np.diff(edges) > 0).all()
    assert sizes.sum() == len(time) and sizes.max() < 1.1 * len(time) / periods + 200


def test_edges_survive_a_log_of_one_hour() -> None:
    edges = movielens.period_edges(np.full(100, 970_000_123), 4)
    assert (np.diff(edges) > 0).all() and edges[0] <= 970_000_123 < edges[-1]


def test_no_data_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXFM_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"no ratings\.dat"):
        load("movielens-1m")


@pytest.mark.skipif(real_root() is None, reason="the real ratings are not on this machine (EXFM_DATA)")
def test_the_real_log_plays() -> None:
    recipe = load("movielens-1m")
    sizes = [
        sum(part.num_rows for _, _, part in recipe.partitions(period).values()) for period in range(recipe.periods)
    ]
    assert max(sizes) < 1.2 * min(sizes)
    assert FoundationSpec.from_json(recipe.foundation.to_json()) == recipe.foundation
