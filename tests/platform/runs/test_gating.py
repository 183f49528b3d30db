"""The label gate from committed sums: strong needs it, safe must pass once, hysteresis, and a first partition."""

import pytest

from exfm_core.metrics.label_gate import SHUTS_ABOVE, GateHistory, RawLabel
from exfm_core.spec import Supervision
from runs.commits import commit
from runs.gating import OPEN, SHUT, decide
from runs.models import Kind
from tests.kit.domain import hour, make_label_set, make_model, make_partition, publish, vertical_spec
from tests.platform.runs.setting import make_setting, next_claim, start, vm_done

GOOD, POOR, NONE = RawLabel(0.8, 500), RawLabel(0.99, 500), RawLabel(None, 0)


def history(ratio: float, *, was_open: bool = False, passed: bool = False) -> GateHistory:
    return GateHistory((1000.0,), (ratio,), (1.0,), was_open, passed)


@pytest.mark.parametrize(
    ("preset", "known", "raw", "expected"),
    [
        ("strong", GateHistory(), GOOD, SHUT),
        ("strong", GateHistory(), RawLabel(0.8, 500, 1.1), OPEN),
        ("strong", GateHistory(), RawLabel(0.8, 500, 1.1, regressed=True), SHUT),
        ("safe", history(0.9, passed=True), RawLabel(0.8, 500, 1.6, regressed=True), SHUT),
        ("safe", GateHistory(), GOOD, OPEN),
        ("safe", GateHistory(), POOR, SHUT),
        ("safe", GateHistory(), RawLabel(0.8, 50), SHUT),
        ("safe", GateHistory(), NONE, SHUT),
        ("safe", GateHistory(ever_passed=True), NONE, OPEN),
        ("strong", GateHistory(ever_passed=True), NONE, SHUT),
        ("strong", history(0.99), NONE, OPEN),
        ("strong", history(1.005), NONE, SHUT),
        ("strong", history(1.005, was_open=True), NONE, OPEN),
        ("strong", history(SHUTS_ABOVE + 0.01, was_open=True), NONE, SHUT),
        ("safe", history(1.2), GOOD, SHUT),
        ("safe", history(1.2, passed=True), NONE, OPEN),
    ],
)
def test_positions(preset, known, raw, expected):
    assert decide(Supervision(preset=preset), known, raw).gate == expected


def lessons(preset: str, labels: list[float], heads: list | None = None, setting=None):
    """Train one partition per label loss (the control's is 0.30); return the claims, and one more after the last."""
    setting = setting or make_setting(vertical_spec(preset))
    snapshot = publish(setting.teacher, hour(0), heads)
    _, lease = start(Kind.VM_TRAIN, setting.model)
    claims = []
    for index, loss in enumerate([*labels, None]):
        make_label_set(make_partition(setting.stream, index), snapshot)
        claim = next_claim(lease)
        claims.append(claim)
        if loss is not None:
            commit(lease=lease, claim=claim, done=vm_done(claim, label=loss))
    return setting, claims


def test_strong_opens_after_evidence_and_shuts_again():
    _, claims = lessons("strong", [0.29, 0.29, 0.60])
    assert [claim.gate for claim in claims] == ["shut", "open", "open", "shut"]
    assert claims[1].gate_evidence["passed"] is True
    assert claims[1].gate_evidence["ratio"] == pytest.approx(0.29 / 0.30)


def test_safe_stays_open_once_the_teacher_has_passed():
    _, claims = lessons("safe", [0.40, 0.10, 0.90])
    assert [claim.gate for claim in claims] == ["shut", "shut", "open", "open"]


def test_safe_starts_open_on_a_warm_teachers_held_back_users():
    setting = make_setting()
    slot = setting.teacher.slots.get().slot
    head = {"tenant_slot": slot, "task": "click", "n": 900, "ne_candidate": 0.85, "ne_current": None}
    _, claims = lessons("safe", [0.60], [head], setting)
    assert [claim.gate for claim in claims] == ["open", "shut"]
    assert claims[0].gate_evidence["passed"] is False


def test_strong_starts_open_on_a_warm_and_calibrated_teacher():
    setting = make_setting(vertical_spec("strong"))
    slot = setting.teacher.slots.get().slot
    head = {"tenant_slot": slot, "task": "click", "n": 900, "ne_candidate": 0.85, "ne_current": None}
    _, claims = lessons("strong", [0.60], [head | {"calibration": 1.05}], setting)
    assert [claim.gate for claim in claims] == ["open", "shut"]


def test_a_snapshot_that_regressed_on_a_tenant_teaches_that_tenant_nothing():
    """However often it passed before; the candidate was published all the same, for the others."""
    setting = make_setting()
    slot = setting.teacher.slots.get().slot
    head = {"tenant_slot": slot, "task": "click", "n": 900, "ne_candidate": 0.85, "ne_current": 0.80, "regressed": True}
    _, claims = lessons("safe", [0.10, 0.10], [head], setting)
    assert [claim.gate for claim in claims] == ["shut"] * 3
    assert claims[2].gate_evidence["passed"] is True
    assert claims[2].gate_evidence["regressed"] is True


def test_a_pass_counts_for_the_tenants_other_models():
    setting, _ = lessons("safe", [0.10])
    twin = make_model(setting.stream, setting.teacher)
    _, lease = start(Kind.VM_TRAIN, twin)
    assert next_claim(lease).gate == "open"


def test_without_a_pass_every_model_starts_shut():
    setting, _ = lessons("safe", [0.60])
    _, lease = start(Kind.VM_TRAIN, make_model(setting.stream, setting.teacher))
    assert next_claim(lease).gate == "shut"
