"""Transfer ratio: the share of the teacher's gain that reaches the student. Torch-free."""

from __future__ import annotations

from exfm_core.metrics.sums import DRAWS, BucketSums, Lift, lift, lift_draws, percentile_interval


def transfer_ratio(
    control: BucketSums, treatment: BucketSums, teacher: BucketSums, *, draws: int = DRAWS, seed: int = 0
) -> Lift:
    """TR of METHOD §1: NE gain of the VM ÷ NE gain of the FM over the VM's control, all on the same rows.

    A ratio, not per cent. Undefined ("–") where the FM does not gain; its interval is left out where the FM's gain is
    not clear of zero, since a ratio over something near zero says nothing. Raises DataError for different rows.
    """
    student = lift(control, treatment, draws=draws, seed=seed)
    foundation = lift(control, teacher, draws=draws, seed=seed)
    if student.value is None or foundation.value is None:
        return Lift(None, None, None, student.rows, student.buckets, student.reason or foundation.reason)
    if foundation.value <= 0:
        return Lift(None, None, None, student.rows, student.buckets, "the foundation model does not gain")
    value = student.value / foundation.value
    if foundation.low is None or foundation.low <= 0:
        reason = foundation.reason or "the foundation model's gain is not clear of zero"
        return Lift(value, None, None, student.rows, student.buckets, reason)
    student_draws = lift_draws(control, treatment, draws=draws, seed=seed)
    foundation_draws = lift_draws(control, teacher, draws=draws, seed=seed)
    low, high = percentile_interval(student_draws / foundation_draws)
    return Lift(value, low, high, student.rows, student.buckets)
