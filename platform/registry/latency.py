"""Measured devices, and what serving a spec is estimated to take on each: `exfm_core.cost.device` with its errors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from exfm_core.cost.device import DeviceProfile as Measured
from exfm_core.cost.device import latency
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


def latencies(*, spec: VerticalSpec, schema: StreamSchema) -> list[FlavorLatency]:
    """Return the estimates at batch 1 and 64 on every flavor that has been measured."""
    found = []
    for row in DeviceProfile.objects.order_by("flavor"):
        measured = Measured.from_json(row.profile)
        found += [
            FlavorLatency(
                flavor=row.flavor,
                device=measured.device,
                batch=each.batch,
                p50_us=each.p50_us.value,
                p50_error=each.p50_us.error,
                p99_us=each.p99_us.value,
                p99_error=each.p99_us.error,
            )
            for each in latency(spec, schema, measured)
        ]
    return found


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
