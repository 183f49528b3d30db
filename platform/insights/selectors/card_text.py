"""A model card: what the model is for, what it learned from, how good it is, what it costs, and what limits it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from budgets.money import written
from exfm_core.figures import share, signed
from exfm_core.spec import StreamSchema, VerticalSpec
from insights.selectors.cards import Card
from insights.selectors.detail import Detail, Version, learned
from insights.selectors.lifts import LiftFigure
from registry.latency import sentences


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


def card_text(whole: Detail) -> Text:
    """Return the model card, from committed figures alone."""
    shown, spec, schema = whole.card, whole.version.spec, whole.stream.schema
    sections = [
        Section("Purpose", _purpose(spec, schema)),
        Section("Data", _data(whole)),
        Section("Model", _model(whole.version)),
        Section("Figures", _figures(shown)),
        Section("Teacher", _teacher(whole)),
        Section("Cost", _cost(shown)),
        Section("Limits", _limits(shown, spec)),
    ]
    if estimated := sentences(whole.serving.latency):
        lines = [*estimated, "Of the exported graph on one thread; the export measures it."]
        sections.append(Section("Serving latency, estimated", lines))
    title = f"{shown.model.name}, version {whole.version.number}"
    parts = [
        f"# {title}",
        *(f"## {part.title}\n\n" + "\n".join(f"- {line}" for line in part.lines) for part in sections),
    ]
    return Text(title, sections, "\n\n".join(parts) + "\n")


def _purpose(spec: VerticalSpec, schema: StreamSchema) -> list[str]:
    tasks = [schema.task(name) for name in spec.model.tasks]
    return [
        f"Predicts {', '.join(f'{task.name} (column {task.label}, kind {task.kind})' for task in tasks)}.",
        "Only the serving head is served; what the foundation model's labels trained beside it is dropped at export.",
    ]


def _data(whole: Detail) -> list[str]:
    stream, read = whole.stream, learned(lineage_id=whole.card.comparison.lead)
    schema = stream.schema
    lines = [f"Stream {stream.name}: {len(schema.features)} features, event time in {schema.event_time}."]
    if read is not None:
        lines.append(
            f"Learned once over from {read.rows:,} rows of {read.partitions} partitions, event time "
            f"{_time(read.start)} to {_time(read.end)} UTC."
        )
    else:
        lines.append("It has learned from no partition yet.")
    lines.append(
        f"Consents: foundation model {'yes' if stream.feed_fm else 'no'}, shared starters "
        f"{'yes' if stream.feed_shared else 'no'}. Withdrawing stops future use; nothing is unlearned."
    )
    return lines


def _model(version: Version) -> list[str]:
    spec, model = version.spec, version.spec.model
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
        lines.append(f"As of event time {_time(shown.lift.as_of)} UTC, every row predicted before it was learned from.")
    return lines


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"


def _lift(figure: LiftFigure) -> str:
    if figure.value is None:
        return figure.reason or "not known yet"
    spread = figure.reason
    if figure.low is not None and figure.high is not None:
        spread = f"95 % interval {signed(figure.low)} … {signed(figure.high)} % NE"
    return f"{signed(figure.value)} % NE, {spread}, {figure.rows:,} rows, {figure.users} user buckets"


def _teacher(whole: Detail) -> list[str]:
    if whole.teacher is None:
        return ["No foundation model teaches it."]
    shown, weights = whole.card, whole.version.spec.supervision
    lines = [
        f"Foundation model {whole.teacher}; preset {weights.preset}: w {weights.w:g}, "
        f"w_sa {weights.w_sa:g}, w_kd {weights.w_kd:g}, α {weights.alpha:g}, β {weights.beta:g}."
    ]
    if shown.coverage is not None:
        lines.append(f"{share(shown.coverage)} of the rows carried a label.")
    if shown.freshness_seconds is not None:
        lines.append(f"Freshness gap of the newest labels: {shown.freshness_seconds:,.0f} s.")
    return lines


def _cost(shown: Card) -> list[str]:
    return [
        f"Training and measurement since registration: {written(shown.cost)}, of which measurement "
        f"{written(shown.measurement_cost)}.",
        f"Share of the foundation model's cost: {written(shown.fm_share)}.",
    ]


def _limits(shown: Card, spec: VerticalSpec) -> list[str]:
    lines = ["Figures are progressive: each row was predicted before training on it; there is no held-out test set."]
    if shown.comparison.control is None:
        lines.append("Without a control arm there is no lift.")
    if spec.supervision.same_task_only:
        lines.append("Its preset trusts the teacher with the serving head: same task only, behind the label gate.")
    lines.append("Labels of the foundation model carry aggregate knowledge of other teams' data.")
    return lines
