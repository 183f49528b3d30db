"""Measured devices, and what serving a spec is estimated to take on each: `exfm_core.cost.device` with its errors."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import transaction

from config import env
from exfm_core.cost.device import DeviceProfile as Measured
from exfm_core.cost.device import Estimate, latency, serving_parts
from exfm_core.errors import SpecError
from exfm_core.spec import StreamSchema, VerticalSpec
from registry import errors
from registry.digest import digest
from registry.models import DeviceProfile
from tenancy import audit


@dataclass(frozen=True)
class FlavorLatency:
    """Latency of the exported graph on a flavor in microseconds; an estimate t with error e means t ÷ e to t · e."""

    flavor: str
    device: str
    batch: int
    p50_us: float
    p50_error: float
    p99_us: float
    p99_error: float


def profiles() -> dict[str, Measured]:
    """Return what was measured, by flavor."""
    rows = DeviceProfile.objects.order_by("flavor").values_list("flavor", "profile")
    return {flavor: Measured.from_json(profile) for flavor, profile in rows}


def latencies(
    *, spec: VerticalSpec, schema: StreamSchema, measured: Mapping[str, Measured] | None = None
) -> list[FlavorLatency]:
    """Return the estimates at batch 1 and 64 on every flavor that has been measured (`measured`: read before)."""
    found = []
    for flavor, profile in (profiles() if measured is None else measured).items():
        found += [
            FlavorLatency(
                flavor=flavor,
                device=profile.device,
                batch=each.batch,
                p50_us=each.p50_us.value,
                p50_error=each.p50_us.error,
                p99_us=each.p99_us.value,
                p99_error=each.p99_us.error,
            )
            for each in latency(spec, schema, profile)
        ]
    return found


class Verdict(StrEnum):
    """What an estimate says of a limit."""

    NO_LIMIT = "no_limit"
    WITHIN = "within"
    OVER = "over"
    NOT_MEASURED = "not_measured"


@dataclass(frozen=True)
class LatencyBudget:
    """Estimated p99 of one row in microseconds on the installation's serving flavor, beside the tenant's limit.

    `p99` is None where the flavor has not been measured: then the limit cannot be checked. `shares`: what each part
    of the request takes of it, the largest first.
    """

    flavor: str
    limit_us: int | None
    p99: Estimate | None
    shares: Mapping[str, float]

    @property
    def verdict(self) -> Verdict:
        """Whether the estimate itself, not its range, keeps the limit."""
        if self.limit_us is None:
            return Verdict.NO_LIMIT
        if self.p99 is None:
            return Verdict.NOT_MEASURED
        return Verdict.OVER if self.p99.value > self.limit_us else Verdict.WITHIN


def serving_flavor() -> str:
    """Return the flavor on which the installation's models serve (EXFM_SERVING_FLAVOR, cpu by default)."""
    return env.text("EXFM_SERVING_FLAVOR", "cpu")


def latency_budget(
    *, spec: VerticalSpec, schema: StreamSchema, limit_us: int | None, measured: Mapping[str, Measured] | None = None
) -> LatencyBudget:
    """Estimate what the limit is about: the figure that `python -m exfm_core export --budget-us` measures."""
    flavor = serving_flavor()
    profile = (profiles() if measured is None else measured).get(flavor)
    if profile is None:
        return LatencyBudget(flavor, limit_us, None, {})
    one = latency(spec, schema, profile)[0]
    parts = serving_parts(spec, schema, profile, one.batch)
    shares = {name: value / one.p50_us.value for name, value in parts.items() if value > 0}
    return LatencyBudget(flavor, limit_us, one.p99_us, shares)


def refuse_slow(found: LatencyBudget) -> None:
    """DomainError with both numbers where the estimate is over the limit."""
    if found.verdict == Verdict.OVER and found.p99 is not None and found.limit_us is not None:
        raise errors.serving_latency(found.flavor, found.p99, found.limit_us, found.shares)


def profile_of(*, flavor: str) -> DeviceProfile:
    """Return the flavor's profile; NotFound where none is registered."""
    found = DeviceProfile.objects.filter(flavor=flavor).first()
    if found is None:
        raise errors.no_profile(flavor)
    return found


@transaction.atomic
def register_profile(*, flavor: str, profile: Mapping[str, Any], reason: str) -> DeviceProfile:
    """Keep what `python -m exfm_core calibrate` measured on the flavor; the profile before is replaced.

    DomainError: it is no profile, or estimates nothing.
    """
    try:
        measured = Measured.from_json(profile, path="profile")
    except SpecError as error:
        raise errors.impossible_spec(error, "profile") from error
    if reason_why := _unusable(measured):
        raise errors.unusable_profile(reason_why)
    held = DeviceProfile.objects.select_for_update().filter(flavor=flavor).first()
    before = None if held is None else {"sha256": digest(held.profile), "device": held.profile["device"]}
    row = held or DeviceProfile(flavor=flavor)
    row.profile = measured.to_json()
    row.save()
    after = {"flavor": flavor, "sha256": digest(row.profile), "device": measured.device}
    audit.record("device_profile.register", row, before=before, after=after, reason=reason)
    return row


def _unusable(measured: Measured) -> str:
    """Say why no estimate can come of the profile, or nothing."""
    rates = [measured.gather_gbs, measured.update_gbs, *(point.gflops for point in measured.matrix)]
    terms = {"training": 5, "serving": 6}
    for name, expected in terms.items():
        fit = getattr(measured, name)
        if len(fit.weights) != expected:
            return f"{name}.weights has {len(fit.weights)} numbers, not {expected}"
        if min(fit.error, fit.tail, fit.tail_error) < 1:
            return f"{name} has an error or a tail below 1"
    if not measured.matrix:
        return "matrix is empty"
    sizes = [number for point in measured.matrix for number in (point.rows, point.flops)]
    return "a rate or a size is not above 0" if min([*rates, *sizes]) <= 0 else ""


def sentences(found: list[FlavorLatency]) -> list[str]:
    """Return one line per flavor and batch."""
    return [
        f"{each.flavor} ({each.device}), batch {each.batch}: p50 about {each.p50_us:,.0f} µs (within a factor of "
        f"{each.p50_error:.2f}), p99 about {each.p99_us:,.0f} µs (within a factor of {each.p99_error:.2f})."
        for each in found
    ]
