"""A run's results from its commits alone: what was measured per partition, added up, as JSON and as a table."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from exfm_core.metrics.histogram import LogitHistogram
from exfm_core.metrics.shares import CLIPPED_WARNING, Shares
from exfm_core.metrics.sums import BucketSums, Lift, calibration, lift, log_loss, normalized_entropy, pooled_lift
from exfm_core.metrics.transfer import transfer_ratio
from exfm_core.spec.run import ArmSpec, RunSpec
from exfm_core.train.arms import CONTROL, same_label_placebo
from exfm_core.train.journal import Commit, checkpoint_file
from exfm_core.train.measure import Measured
from exfm_core.train.plan import Unit, component
from exfm_core.train.vertical import TaskOutcome, VerticalOutcome

Pair = tuple[BucketSums, BucketSums]


def measured_json(outcome: VerticalOutcome, gates: Mapping[str, Mapping[str, bool]]) -> dict[str, Any]:
    """A partition's outcome as a commit stores it; its seconds are not part of it, so that commits can be compared."""
    return {
        "rows": outcome.rows,
        "batches": outcome.batches,
        "gates": {arm: dict(tasks) for arm, tasks in gates.items()},
        "tasks": {
            task: {
                "covered": found.covered,
                "clipped": found.clipped_rows,
                "labels": {arm: None if sums is None else sums.to_json() for arm, sums in found.labels.items()},
                "arms": {
                    arm: {
                        "all": measured.all.to_json(),
                        "covered": measured.covered.to_json(),
                        "auc": measured.auc,
                        "histogram": measured.histogram.encode(),
                    }
                    for arm, measured in found.arms.items()
                },
            }
            for task, found in outcome.tasks.items()
        },
    }


def outcome_of(measured: Mapping[str, Any]) -> VerticalOutcome:
    """The outcome that `measured_json` stored."""
    tasks: dict[str, TaskOutcome] = {}
    for task, found in measured["tasks"].items():
        arms = {
            arm: Measured(
                BucketSums.from_json(one["all"]),
                BucketSums.from_json(one["covered"]),
                one["auc"],
                LogitHistogram.decode(one["histogram"]),
            )
            for arm, one in found["arms"].items()
        }
        labels = {arm: None if one is None else BucketSums.from_json(one) for arm, one in found["labels"].items()}
        tasks[task] = TaskOutcome(arms, labels, found["covered"], found["clipped"])
    return VerticalOutcome(tasks, measured["rows"], measured["batches"], {})


def results_of(spec: RunSpec, units: Sequence[Unit], commits: Sequence[Commit]) -> dict[str, Any]:
    """Figures per tenant, model, seed, task and arm, pooled lifts, and the foundation model's publications."""
    teacher = {c.unit.rpartition(" ")[2]: c.measured["sums"] for c in commits if c.unit.startswith("score ")}
    rows: list[dict[str, Any]] = []
    pairs: dict[tuple[int, str], list[Pair]] = {}
    for tenant in spec.tenants:
        for model in tenant.models:
            for seed in spec.seeds:
                name = component(tenant, model, seed)
                mine = [c for c in commits if c.unit.startswith(f"{name} ")]
                outcomes = [outcome_of(commit.measured) for commit in mine]
                hashes = [commit.unit.rpartition(" ")[2] for commit in mine]
                about = {"tenant": tenant.name, "model": model.name, "seed": seed}
                for task in model.spec.model.tasks if mine else ():
                    kind = tenant.schema.task(task).kind
                    said = [BucketSums.from_json(found[kind]) for h in hashes if kind in (found := teacher.get(h, {}))]
                    figures = _figures([outcome.tasks[task] for outcome in outcomes], BucketSums.merge(said))
                    opened = [commit.measured["gates"] for commit in mine]
                    _add_teachers_share(figures, model.arms)
                    for arm, found in figures.items():
                        gate = "".join("01"[one[arm][task]] for one in opened if arm in one)
                        kept = {"checkpoint": checkpoint_file(mine[-1].states[f"{name} {arm}"])}
                        rows.append({**about, "task": task, "arm": arm, **found, "gate": gate, **kept})
                        if (pair := _pair(outcomes, task, arm)) is not None:
                            pairs.setdefault((seed, arm), []).append(pair)
    pooled = [{"seed": s, "arm": a, "lift": _lift(pooled_lift(found))} for (s, a), found in sorted(pairs.items())]
    trained = [c.measured for c in commits if c.unit.startswith("foundation ")]
    counted = {decision: sum(one["decision"] == decision for one in trained) for decision in ("publish", "reject")}
    scored = [c.measured for c in commits if c.unit.startswith("score ") and c.measured["snapshot"]]
    return {
        "models": rows,
        "pooled": pooled,
        "foundation": {
            "periods": len(trained),
            "published": counted["publish"],
            "rejected": counted["reject"],
            "rows_trained": sum(one["rows"] for one in trained),
            "rows_scored": sum(one["rows"] for one in scored),
            "ne": _teacher_figures(commits),
        },
        "units": len(units),
        "warnings": [
            f"{row['tenant']} / {row['model']}, {row['arm']}: {row['clipped_share']:.1%} of the scaled labels were cut "
            "at 1, their order is lost: lower alpha."
            for row in rows
            if (row["clipped_share"] or 0.0) > CLIPPED_WARNING
        ],
    }


def _add_teachers_share(figures: dict[str, dict[str, Any]], arms: Sequence[ArmSpec]) -> None:
    """lift − same-label placebo, in percentage points, where that placebo ran."""
    for arm in arms:
        placebo = same_label_placebo(arm, arms)
        if placebo is not None and "lift" in figures[arm.name]:
            pair = (figures[name]["lift"]["value"] for name in (arm.name, placebo.name))
            one, other = pair
            figures[arm.name]["teachers_share"] = None if one is None or other is None else one - other


def _figures(found: Sequence[TaskOutcome], teacher: BucketSums) -> dict[str, dict[str, Any]]:
    figures: dict[str, dict[str, Any]] = {}
    for arm in found[0].arms:
        every = BucketSums.merge([one.arms[arm].all for one in found])
        covered = BucketSums.merge([one.arms[arm].covered for one in found])
        histogram = LogitHistogram.zeros()
        for one in found:
            histogram += one.arms[arm].histogram
        auc = histogram.auc()
        labels = [sums for one in found if (sums := one.labels.get(arm)) is not None]
        clipped = sum(one.clipped_rows.get(arm, 0) for one in found)
        shares = Shares(every.rows, covered.rows, clipped)
        body: dict[str, Any] = {
            "rows": every.rows,
            "ne": _figure(normalized_entropy(every)),
            "log_loss": log_loss(every).value,
            "auc": auc.value,
            "auc_error": auc.error,
            "calibration": calibration(every).value,
            "coverage": shares.coverage.value,
            "clipped_share": shares.clipped_share.value,
            "label_ne": _figure(normalized_entropy(BucketSums.merge(labels))),
        }
        if arm != CONTROL and CONTROL in found[0].arms:
            control = BucketSums.merge([one.arms[CONTROL].all for one in found])
            control_covered = BucketSums.merge([one.arms[CONTROL].covered for one in found])
            body["lift"] = _lift(lift(control, every))
            body["lift_covered"] = _lift(lift(control_covered, covered))
            same = covered.rows and (teacher.n == covered.n).all()
            body["transfer_ratio"] = _lift(transfer_ratio(control_covered, covered, teacher)) if same else None
        figures[arm] = body
    return figures


def _pair(outcomes: Sequence[VerticalOutcome], task: str, arm: str) -> Pair | None:
    if arm == CONTROL or CONTROL not in outcomes[0].tasks[task].arms:
        return None
    control, treatment = (
        BucketSums.merge([one.tasks[task].arms[name].all for one in outcomes]) for name in (CONTROL, arm)
    )
    return control, treatment


def _teacher_figures(commits: Sequence[Commit]) -> dict[str, dict[str, Any]]:
    sums: dict[str, dict[str, BucketSums]] = {}
    for commit in commits:
        if commit.unit.startswith("score "):
            tenant = commit.unit.split(" ")[1]
            for kind, found in commit.measured["sums"].items():
                kept = sums.setdefault(tenant, {})
                kept[kind] = kept.get(kind, BucketSums.zeros()) + BucketSums.from_json(found)
    return {
        tenant: {kind: _figure(normalized_entropy(found)) for kind, found in kinds.items()}
        for tenant, kinds in sums.items()
    }


def _figure(figure: Any) -> dict[str, Any]:
    return {"value": figure.value} | ({"reason": figure.reason} if figure.value is None else {})


def _lift(found: Lift) -> dict[str, Any]:
    body = {"value": found.value, "low": found.low, "high": found.high, "rows": found.rows, "buckets": found.buckets}
    return body | ({"reason": found.reason} if found.reason else {})


def markdown(results: Mapping[str, Any]) -> str:
    """The tables of `results.md`."""
    lines = [
        "| tenant / model | task | seed | arm | rows | NE | AUC | Σp ÷ Σy | coverage | NE label | lift % | gate |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in results["models"]:
        shown = [
            f"{row['tenant']} / {row['model']}",
            row["task"],
            str(row["seed"]),
            row["arm"],
            f"{row['rows']:,}",
            _number(row["ne"]["value"], row["ne"].get("reason", "")),
            _number(row["auc"]),
            _number(row["calibration"]),
            _number(row["coverage"], digits=2),
            _number(row["label_ne"]["value"]),
            _interval(row.get("lift")),
            row["gate"] or "–",
        ]
        lines.append(f"| {' | '.join(shown)} |")
    lines += ["", "| pooled over models | seed | lift % |", "|---|---|---|"]
    lines += [f"| {row['arm']} | {row['seed']} | {_interval(row['lift'])} |" for row in results["pooled"]]
    teacher = results["foundation"]
    lines += [
        "",
        f"Foundation model: {teacher['periods']} periods, {teacher['published']} candidates published, "
        f"{teacher['rejected']} rejected; {teacher['rows_trained']:,} rows trained on, "
        f"{teacher['rows_scored']:,} scored.",
        "NE and lift: progressive, every row predicted before it is trained on; lift against the control on the same "
        "rows with its 95 % interval over user buckets; gate: one digit per partition, 1 = open.",
        "",
        *(f"Warning: {warning}" for warning in results["warnings"]),
    ]
    return "\n".join(lines)


def write_results(out: Path, results: Mapping[str, Any]) -> None:
    """Writes `results.json` and `results.md`, each put in place whole."""
    texts = {
        "results.json": json.dumps(results, indent=1, sort_keys=True, allow_nan=False),
        "results.md": markdown(results),
    }
    for name, text in texts.items():
        scratch = out / f".{name}.{os.getpid()}.part"
        scratch.write_text(text, encoding="utf-8")
        scratch.replace(out / name)


def _number(value: float | None, reason: str = "", digits: int = 4) -> str:
    return f"{value:.{digits}f}" if value is not None else f"– ({reason})" if reason else "–"


def _interval(found: Mapping[str, Any] | None) -> str:
    if not found or found["value"] is None:
        return "–"
    if found["low"] is None or found["high"] is None:
        return f"{found['value']:+.2f}"
    return f"{found['value']:+.2f} [{found['low']:+.2f}, {found['high']:+.2f}]"
