"""The publishing gate's errors hold where a user's rows depend on each other: simulated over many seeds."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exfm_core.train.gate import STANDARD_ERRORS, Limits, judge, standard_error

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
SEEDS = range(500)
ONE_SIDED, TWO_SIDED = 0.023, 0.046
"""How often chance exceeds two standard errors."""
ANY_CALIBRATION = (0.0, 1e9)


def users_of(rng: np.random.Generator, users: int) -> Ints:
    """The user of each row: 10 to some hundreds of rows each."""
    return np.repeat(np.arange(users), rng.geometric(1 / 60, users) + 10)


def sigmoid(z: Floats) -> Floats:
    return 1 / (1 + np.exp(-z))


def draw(rng: np.random.Generator, z: Floats) -> Floats:
    return (rng.random(len(z)) < sigmoid(z)).astype(float)


def rejected(candidate: Floats, current: Floats | None, y: Floats, user: Ints, limits: Limits) -> bool:
    """The gate's decision on the rows of one tenant."""
    old = None if current is None else current[:, None]
    slots = np.ones(len(y), np.int64)
    judgement = judge(["click"], candidate[:, None], old, y[:, None], slots, user, limits)
    assert all(head.judged for head in judgement.heads)
    return judgement.decision == "reject"


def row_wise(scores: Floats) -> bool:
    """What the same limit says with errors that take rows for independent."""
    return bool(scores.mean() > STANDARD_ERRORS * scores.std() / math.sqrt(len(scores)))


def loss(z: Floats, y: Floats) -> Floats:
    return np.logaddexp(0, z) - y * z


@pytest.mark.parametrize("users", [25, 60])
def test_a_candidate_as_good_as_the_published_is_seldom_rejected(users: int) -> None:
    """Both err by user, equally much, under no tolerance at all: what is rejected is rejected by chance."""
    found, naive = [], []
    for seed in SEEDS:
        rng = np.random.default_rng([users, seed])
        user = users_of(rng, users)
        z = rng.normal(-1, 1, len(user))
        y = draw(rng, z)
        candidate, current = (z + rng.normal(0, 0.7, users)[user] for _ in range(2))
        found.append(rejected(candidate, current, y, user, Limits(0.0, ANY_CALIBRATION)))
        naive.append(row_wise(loss(candidate, y) - loss(current, y)))
    assert np.mean(naive) > 0.15
    assert 0.2 * ONE_SIDED < np.mean(found) < 2 * ONE_SIDED


@pytest.mark.parametrize("users", [25, 60])
def test_a_calibrated_candidate_is_seldom_rejected(users: int) -> None:
    """Each user likes more or less than the rows tell; the candidate is right on average, and no slack is given."""
    found, naive = [], []
    nodes, weights = np.polynomial.hermite_e.hermegauss(15)
    for seed in SEEDS:
        rng = np.random.default_rng([users, seed])
        user = users_of(rng, users)
        z = rng.normal(-1, 1, len(user))
        y = draw(rng, z + 0.8 * rng.normal(size=users)[user])
        p = sigmoid(z[:, None] + 0.8 * nodes) @ weights / weights.sum()
        found.append(rejected(np.log(p / (1 - p)), None, y, user, Limits(calibration=(1.0, 1.0))))
        naive.append(row_wise(p - y) or row_wise(y - p))
    assert np.mean(naive) > 0.15
    assert 0.2 * TWO_SIDED < np.mean(found) < 2 * TWO_SIDED


def test_under_the_usual_limits_an_honest_candidate_is_hardly_ever_rejected() -> None:
    found = []
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        user = users_of(rng, 40)
        z = rng.normal(-1, 1, len(user))
        y = draw(rng, z + 0.5 * rng.normal(size=40)[user])
        candidate, current = (z + rng.normal(0, 0.5, 40)[user] for _ in range(2))
        found.append(rejected(candidate, current, y, user, Limits()))
    assert np.mean(found) < 2 * ONE_SIDED


def test_a_bad_candidate_is_rejected_in_spite_of_dependence() -> None:
    """Shifted by 0.8 logit, or with every row's logit another row's: 100 users see it nearly always."""
    shifted, shuffled = [], []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        user = users_of(rng, 100)
        z = rng.normal(-1, 1, len(user))
        y = draw(rng, z + 0.5 * rng.normal(size=100)[user])
        shifted.append(rejected(z + 0.8, None, y, user, Limits()))
        shuffled.append(rejected(rng.permutation(z), z, y, user, Limits(calibration=ANY_CALIBRATION)))
    assert np.mean(shifted) > 0.95
    assert np.mean(shuffled) > 0.95


def test_on_independent_rows_the_errors_are_those_of_rows() -> None:
    """For NE's score and for calibration's, whose binomial error Σp(1 − p) is known."""
    differences, residuals = [], []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        buckets = rng.integers(0, 256, 4000)
        z = rng.normal(-1, 1, 4000)
        y, p = draw(rng, z), sigmoid(z)
        score = loss(z + rng.normal(0, 0.5, 4000), y) - loss(z, y)
        differences.append(standard_error(score, buckets) / (score.std() / math.sqrt(4000)))
        residuals.append(standard_error(p - y, buckets) / (math.sqrt((p * (1 - p)).sum()) / 4000))
    for ratio in (differences, residuals):
        assert np.mean(ratio) == pytest.approx(1, abs=0.02)
        assert np.ptp(ratio) < 0.4


scores_of_users = st.lists(st.floats(-100, 100, allow_subnormal=False), min_size=2, max_size=256)


@given(scores_of_users)
def test_with_one_row_a_user_it_is_the_usual_standard_error(scores: list[float]) -> None:
    found = standard_error(np.array(scores), np.arange(len(scores)))
    assert found == pytest.approx(np.std(scores, ddof=1) / math.sqrt(len(scores)), rel=1e-6, abs=1e-9)


@given(scores_of_users, st.integers(2, 9))
def test_repeating_every_row_of_a_user_tells_nothing_new(scores: list[float], times: int) -> None:
    once = standard_error(np.array(scores), np.arange(len(scores)))
    again = standard_error(np.repeat(scores, times), np.repeat(np.arange(len(scores)), times))
    assert again == pytest.approx(once, rel=1e-6, abs=1e-9)


def test_one_bucket_has_no_standard_error() -> None:
    assert standard_error(np.array([1.0, 2.0]), np.array([3, 3])) == math.inf
