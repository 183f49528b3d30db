"""Globo as impressions: against a loop over the log, blind to the future, ties included."""

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from exfm_core.data.public import globo, globo_ctr
from exfm_core.data.public.chronology import Stream
from exfm_core.data.public.globo import HOUR_MS, ORIGIN_MS
from exfm_core.data.public.globo_ctr import HISTORY, TENANTS, WINDOW_MS, Impressions, Sampling
from exfm_core.errors import DataError

from .raw import column, joined, real, sealed
from .raw_globo import Click, clicks, write_log

ALL = Sampling(user_share=1.0)
END = ORIGIN_MS + 24 * HOUR_MS


def impressions(folder: Path, log: list[Click], sampling: Sampling = ALL, **options: int) -> Impressions:
    return Impressions(globo.read(write_log(folder, log)), sampling, **options)


def tenant(region: int) -> str:
    return next((slug for slug, regions in TENANTS.items() if region in regions), "t8")


def expected(log: list[Click], row: dict[str, object]) -> dict[str, object]:
    """What a row may say, from the log itself: strictly earlier clicks only."""
    now = round(row["event_time"].timestamp() * 1000) - ORIGIN_MS  # type: ignore[attr-defined]
    home = tenant(row["region"])  # type: ignore[arg-type]
    past = [click for click in log if click.time < now]
    result: dict[str, object] = {}
    for prefix, group in (("", [c for c in past if tenant(c.region) == home]), ("all_", past)):
        same = [now - click.time for click in group if click.article == row["article_id"]]
        result[f"{prefix}clicks_total"] = math.log1p(len(same)) / 4 - 1
        result[f"{prefix}clicks_1h"] = math.log1p(sum(age <= HOUR_MS for age in same)) / 4 - 1
        result[f"{prefix}clicks_3h"] = math.log1p(sum(age <= WINDOW_MS for age in same)) / 4 - 1
        result[f"{prefix}article_age"] = math.log1p(max(same, default=0) / HOUR_MS) / 2 - 1
    own = [c for c in past if c.user == row["user_id"] and tenant(c.region) == home]
    own.sort(key=lambda click: (click.time, click.article, click.region))
    result["user_clicks"] = math.log1p(len(own)) - 1
    result["user_idle"] = math.log1p((now - own[-1].time) / 1000 if own else 1e7) / 5 - 1
    result["recent_articles"] = [click.article for click in own[-HISTORY:]]
    result["already_read"] = int(any(click.article == row["article_id"] for click in own))
    result["hour"] = (now // HOUR_MS + 3) % 24
    return result


def test_every_feature_against_a_loop_over_the_log(tmp_path: Path) -> None:
    log = clicks()
    table, tenants = impressions(tmp_path, log).rows(ORIGIN_MS, END)
    assert table.num_rows > 5000
    for i in np.random.default_rng(0).permutation(table.num_rows)[:400].tolist():
        row = table.slice(i, 1).to_pylist()[0]
        assert list(TENANTS)[tenants[i]] == tenant(row["region"])
        for name, value in expected(log, row).items():
            assert row[name] == (pytest.approx(value, abs=1e-5) if isinstance(value, float) else value), name


def test_positives_are_the_clicks_on_articles_with_a_recent_past(tmp_path: Path) -> None:
    log = clicks()
    table, _ = impressions(tmp_path, log).rows(ORIGIN_MS, END)
    kept = {
        (click.time, click.user, click.article)
        for click in log
        if any(o.article == click.article and click.time - WINDOW_MS <= o.time < click.time for o in log)
    }
    positives = table.filter(pa.array(column(table, "clicked") == 1))
    times = column(positives, "event_time").astype("datetime64[ms]").astype(np.int64) - ORIGIN_MS
    found = set(zip(times, column(positives, "user_id"), column(positives, "article_id"), strict=True))
    assert found == kept and 0 < len(log) - len(kept) < len(log)


def test_negatives_are_other_articles_of_the_three_hours_before(tmp_path: Path) -> None:
    log = clicks()
    table, _ = impressions(tmp_path, log).rows(ORIGIN_MS, END)
    label = column(table, "clicked") == 1
    times = column(table, "event_time").astype("datetime64[ms]").astype(np.int64) - ORIGIN_MS
    clicked = set(zip(times[label], column(table, "user_id")[label], column(table, "article_id")[label], strict=True))
    window = {now: {o.article for o in log if now - WINDOW_MS <= o.time < now} for now in np.unique(times).tolist()}
    for now, article in zip(times[~label].tolist(), column(table, "article_id")[~label], strict=True):
        assert article in window[now]
    # No row, of either label, is of an article without a recent click: a zero would name the label.
    assert column(table, "all_clicks_3h").min() >= math.log(2) / 4 - 1 - 1e-6
    per_click = (~label).sum() / len(clicked)
    assert 3 < per_click < 4


def test_negatives_follow_the_clicks_of_the_window(tmp_path: Path) -> None:
    """Draws are uniform over clicks, so an article with nine tenths of them gets nine tenths of the draws."""
    past = [Click(user, 1 if user % 10 else 2, user * 1000, 25) for user in range(1000)]
    now = [Click(2000 + user, 2, HOUR_MS + user, 25) for user in range(400)]
    table, _ = impressions(tmp_path, past + now).rows(ORIGIN_MS + HOUR_MS, END)
    negatives = int((column(table, "clicked") == 0).sum())
    # 900 of 1000 to 1399 earlier clicks are of article 1; draws of article 2 hit the clicked one and are dropped.
    want = sum(4 * 900 / (1000 + i) for i in range(400))
    assert abs(negatives - want) < 4 * math.sqrt(want * 0.25)


@pytest.mark.parametrize("cut_hour", [2.5, 5.0])
def test_rows_do_not_change_when_the_future_is_deleted_or_rewritten(tmp_path: Path, cut_hour: float) -> None:
    log, cut = clicks(), int(cut_hour * HOUR_MS)
    draw = np.random.default_rng(5)
    past = [click for click in log if click.time < cut]
    other = [
        Click(int(draw.integers(0, 90)), int(draw.integers(0, 300)), click.time, 21)
        for click in log
        if click.time >= cut
    ]
    tables = [
        impressions(tmp_path / name, variant, Sampling(0.6)).rows(ORIGIN_MS, ORIGIN_MS + cut)[0]
        for name, variant in (("whole", log), ("cut", past), ("other", past + other))
    ]
    assert tables[0].num_rows > 500
    assert tables[0].equals(tables[1]) and tables[0].equals(tables[2])


def test_order_of_the_raw_lines_changes_nothing(tmp_path: Path) -> None:
    log = clicks()
    shuffled = [log[i] for i in np.random.default_rng(3).permutation(len(log))]
    one, other = impressions(tmp_path / "a", log), impressions(tmp_path / "b", shuffled)
    assert one.rows(ORIGIN_MS, END)[0].equals(other.rows(ORIGIN_MS, END)[0])


def test_clicks_of_one_instant_do_not_see_each_other(tmp_path: Path) -> None:
    early = [Click(user, 1 + user % 2, 0, 25) for user in range(6)]
    late = [Click(7, 1, 5000, 25), Click(7, 2, 5000, 25), Click(8, 1, 5000, 25)]
    table, _ = impressions(tmp_path, early + late).rows(ORIGIN_MS + 5000, END)
    ones = table.filter(pa.array(column(table, "article_id") == 1))
    assert column(ones, "clicks_total") == pytest.approx(math.log1p(3) / 4 - 1, abs=1e-6)
    assert set(column(table, "already_read")) == {0}
    assert all(not recent for recent in table.column("recent_articles").to_pylist())
    assert set(column(table, "user_clicks")) == {-1.0}


def test_the_order_within_an_instant_does_not_tell_the_label(tmp_path: Path) -> None:
    table, _ = impressions(tmp_path, clicks(4000)).rows(ORIGIN_MS, END)
    times = column(table, "event_time")
    first = np.concatenate([[True], times[1:] != times[:-1]])
    label = column(table, "clicked")
    assert abs(label[first].mean() - label.mean()) < 4 * math.sqrt(0.16 / first.sum())


def test_periods_and_streams_hold_the_same_rows(tmp_path: Path) -> None:
    made = impressions(tmp_path / "log", clicks(), partition_seconds=900)
    whole, tenants = made.rows(ORIGIN_MS, END)
    periods = [made.partitions(period) for period in range(made.periods)]
    assert made.start.timestamp() * 1000 == ORIGIN_MS and made.periods == 32
    for number, slug in enumerate(TENANTS):
        stream = Stream(slug, slug, made.schema, lambda slug=slug: made.stream(slug))  # type: ignore[misc]
        partitions = sealed(stream, tmp_path, every=8)
        assert [p for period in periods for name, p in period.items() if name == slug] == partitions
        assert joined(partitions).equals(whole.filter(pa.array(tenants == number)))
    assert {start for period in periods for start, _, _ in period.values()} <= {
        made.start + (made.partitions(1)["t0"][0] - made.start) * i for i in range(32)
    }
    with pytest.raises(DataError, match="no period 32"):
        made.partitions(32)


@pytest.mark.parametrize("seconds", [60, 3600, 5 * 3600])
def test_other_partition_lengths(tmp_path: Path, seconds: int) -> None:
    made = impressions(tmp_path, clicks(), partition_seconds=seconds)
    rows = sum(part[2].num_rows for period in range(made.periods) for part in made.partitions(period).values())
    assert rows == made.rows(ORIGIN_MS - 24 * HOUR_MS, END)[0].num_rows


def test_a_share_of_the_users_with_everyones_popularity(tmp_path: Path) -> None:
    log = clicks()
    everyone, _ = impressions(tmp_path / "a", log).rows(ORIGIN_MS, END)
    some, _ = impressions(tmp_path / "b", log, Sampling(0.35)).rows(ORIGIN_MS, END)
    users = set(column(some, "user_id"))
    assert 8 < len(users) < 35
    assert everyone.filter(pa.array(np.isin(column(everyone, "user_id"), list(users)))).equals(some)


def test_the_seed_draws_users_and_negatives(tmp_path: Path) -> None:
    log = clicks()
    zero, again, one = (
        impressions(tmp_path / str(i), log, Sampling(0.5, seed=seed)).rows(ORIGIN_MS, END)[0]
        for i, seed in enumerate((0, 0, 1))
    )
    assert zero.equals(again)
    assert set(column(zero, "user_id")) != set(column(one, "user_id"))


def test_own_features_alone_and_what_is_never_a_feature() -> None:
    own, full = globo_ctr.schema(shared_popularity=False), globo_ctr.schema()
    assert {f.name for f in full.features} - {f.name for f in own.features} == {
        "all_clicks_total", "all_clicks_1h", "all_clicks_3h", "all_article_age",
    }  # fmt: skip
    assert not {"session_size", "session_start", "session_id", "user_id", "clicked"} & {f.name for f in full.features}


@pytest.mark.parametrize("options", [{"user_share": 0.0}, {"user_share": 1.1}, {"negatives": 0}, {"seed": -1}])
def test_impossible_sampling(options: dict[str, float]) -> None:
    with pytest.raises(DataError) as caught:
        Sampling(**options)  # type: ignore[arg-type]
    assert caught.value.code == "globo.sampling" and caught.value.mend


def test_the_real_log(tmp_path: Path) -> None:
    streams = globo_ctr.streams(real("globo_clicks"), hours=24)
    rows = {}
    for stream in streams:
        table = joined(sealed(stream, tmp_path, every=24))
        rows[stream.slug] = table.num_rows
        assert 0.2 < column(table, "clicked").mean() < 0.24
        assert column(table, "all_clicks_3h").min() > -0.99
    assert list(rows) == list(TENANTS)
    assert max(rows.values()) > 10 * rows["t7"] > 0
