"""A model card: what the model is for, what it learned from, how good it is, what it costs, and what limits it."""

from dataclasses import dataclass

from catalog import selectors as catalog
from exfm_core.spec import StreamSchema, VerticalSpec
from insights.selectors.cards import Card
from insights.selectors.lifts import LiftFigure
from insights.selectors.lineage import courses_of
from registry import selectors as registry


@dataclass(frozen=True)
class Section:
    """A heading and its lines, each a complete sentence or figure."""

    title: str
    lines: list[str]


@dataclass(frozen=True)
class Text:
    """The card as parts and as one Markdown document."""

    title: str
    sections: list[Section]
    markdown: str


def card_text(shown: Card) -> Text:
    """Return the model card, from committed figures alone."""
    spec, schema = registry.spec_of(shown.version), catalog.schema_of(shown.model.stream)
    sections = [
        Section("Purpose", _purpose(shown, spec, schema)),
        Section("Data", _data(shown, schema)),
        Section("Model", _model(shown, spec)),
        Section("Figures", _figures(shown)),
        Section("Teacher", _teacher(shown, spec)),
        Section("Cost", _cost(shown)),
        Section("Limits", _limits(shown, spec)),
    ]
    title = f"{shown.model.name}, version {shown.version.number}"
    parts = [
        f"# {title}",
        *(f"## {part.title}\n\n" + "\n".join(f"- {line}" for line in part.lines) for part in sections),
    ]
    return Text(title, sections, "\n\n".join(parts) + "\n")


def _purpose(shown: Card, spec: VerticalSpec, schema: StreamSchema) -> list[str]:
    tasks = [schema.task(name) for name in spec.model.tasks]
    return [
        f"Predicts {', '.join(f'{task.name} (column {task.label}, kind {task.kind})' for task in tasks)}.",
        "Only the serving head is served; what the foundation model's labels trained beside it is dropped at export.",
    ]


def _data(shown: Card, schema: StreamSchema) -> list[str]:
    stream = shown.model.stream
    lines = [f"Stream {stream.name}: {len(schema.features)} features, event time in {schema.event_time}."]
    courses = [course for course in courses_of(model_id=shown.model.id) if course.lineage.id == shown.comparison.lead]
    lines += [
        f"Learned once over from {course.rows:,} rows of {course.partitions} partitions, event time "
        f"{course.start.isoformat()} to {course.end.isoformat()}."
        for course in courses
        if course.start is not None and course.end is not None
    ]
    if len(lines) == 1:
        lines.append("It has learned from no partition yet.")
    lines.append(
        f"Consents: foundation model {'yes' if stream.feed_fm else 'no'}, shared starters "
        f"{'yes' if stream.feed_shared else 'no'}. Withdrawing stops future use; nothing is unlearned."
    )
    return lines


def _model(shown: Card, spec: VerticalSpec) -> list[str]:
    model, version = spec.model, shown.version
    return [
        f"{model.backbone}, embeddings of {model.embedding_dim}, hidden widths {', '.join(map(str, model.mlp))}.",
        f"Reads {', '.join(model.features)}.",
        f"Serving: {version.serving_parameters:,} parameters, {version.serving_flops:,} FLOPs per row, exactly.",
        f"Spec SHA-256 {version.sha256}, seed {spec.seed}.",
    ]


def _figures(shown: Card) -> list[str]:
    lines = [f"Lift over the control arm: {_lift(shown.lift)}."]
    for name, arms in (("NE", shown.ne), ("AUC", shown.auc)):
        pairs = ((who, getattr(arms, who)) for who in ("control", "treatment"))
        known = ", ".join(f"{who} {value:.4f}" for who, value in pairs if value is not None)
        lines.append(f"{name}: {known or 'not known yet'}.")
    if shown.lift.as_of is not None:
        lines.append(
            f"As of event time {shown.lift.as_of.isoformat()}, every row predicted before it was learned from."
        )
    return lines


def _lift(figure: LiftFigure) -> str:
    if figure.value is None:
        return figure.reason or "not known yet"
    return (
        f"{figure.value:+.2f} % of NE, 95 % interval [{figure.low:+.2f}, {figure.high:+.2f}], {figure.rows:,} rows, "
        f"{figure.users} user buckets"
    )


def _teacher(shown: Card, spec: VerticalSpec) -> list[str]:
    binding = registry.open_binding(model_id=shown.model.id)
    if binding is None:
        return ["No foundation model teaches it."]
    weights = spec.supervision
    lines = [
        f"Foundation model {binding.foundation_model.name}; preset {weights.preset}: w {weights.w:g}, "
        f"w_sa {weights.w_sa:g}, w_kd {weights.w_kd:g}, α {weights.alpha:g}, β {weights.beta:g}."
    ]
    if shown.coverage is not None:
        lines.append(f"{shown.coverage:.1%} of the rows carried a label.")
    if shown.freshness_seconds is not None:
        lines.append(f"Freshness gap of the newest labels: {shown.freshness_seconds:,.0f} s.")
    return lines


def _cost(shown: Card) -> list[str]:
    return [
        f"Training and measurement since registration: {shown.cost}, of which measurement {shown.measurement_cost}.",
        f"Share of the foundation model's cost: {shown.fm_share}.",
    ]


def _limits(shown: Card, spec: VerticalSpec) -> list[str]:
    lines = ["Figures are progressive: each row was predicted before training on it; there is no held-out test set."]
    if shown.comparison.control is None:
        lines.append("Without a control arm there is no lift.")
    if spec.supervision.same_task_only:
        lines.append("Its preset trusts the teacher with the serving head: same task only, behind the label gate.")
    lines.append("Labels of the foundation model carry aggregate knowledge of other teams' data.")
    return lines
