"""Events: child → supervisor, one per line on the child's standard output."""

from dataclasses import dataclass, field
from typing import Final, Literal

from exfm_core.events.codec import from_plain, read_line, refuse, write_line
from exfm_core.events.values import File, Sums

Fault = Literal["user", "platform", "capacity"]
Decision = Literal["publish", "reject", "corrupt"]


@dataclass(frozen=True, slots=True)
class Ready:
    """The child has loaded its libraries and waits for work. `isa` is torch's instruction set: weights are
    bit-identical only for the same versions, threads and instruction set."""

    pid: int
    versions: dict[str, str]
    threads: int
    isa: str


@dataclass(frozen=True, slots=True)
class Progress:
    """For display only, never committed. `rows_per_s` counts rows of the stream, whatever the number of arms."""

    seq: int
    rows: int
    rows_total: int
    rows_per_s: float
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ArmResult:
    """One arm's course over one partition.

    `all` and `covered` (rows with a teacher logit) are progressive: each row was predicted before it was trained on.
    `auc` is exact with ties at half, None where only one class occurs. `histogram` is base64 of zlib of an int32
    array [2, 16384] (negatives, positives per logit bin). `seconds` is the time spent in this arm alone.
    """

    checkpoint: File
    all: Sums
    covered: Sums
    auc: float | None
    histogram: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ArmSeconds:
    """Where the time of a vm.train partition went."""

    total: float
    read: float
    control: float
    treatment: float


@dataclass(frozen=True, slots=True)
class VmDone:
    """vm.train finished a partition. `label` holds the sums of the SA-calibrated label σ(a) over covered rows, each
    taken before the adapter saw the row; `clipped` counts covered rows with α·q > 1."""

    seq: int
    arms: dict[str, ArmResult]
    label: Sums | None
    rows: int
    covered: int
    clipped: int
    seconds: ArmSeconds
    batches: int


@dataclass(frozen=True, slots=True)
class HeadVerdict:
    """One task head on one tenant's held-back rows. NE is None where only one class occurs, `ne_current` also where
    nothing is published yet; `calibration` = Σp / Σy, None without positives. `regressed`: beyond chance outside the
    gate's limits there; of a tenant, it shuts that tenant's label gate and rejects nothing."""

    tenant_slot: int
    task: str
    n: int
    ne_candidate: float | None
    ne_current: float | None
    calibration: float | None
    regressed: bool = False


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """Whether a candidate may be published."""

    decision: Decision
    reason: str
    heads: tuple[HeadVerdict, ...] = ()


@dataclass(frozen=True, slots=True)
class FmDone:
    """fm.train finished a period."""

    seq: int
    checkpoint: File
    snapshot: File
    watermark: str
    rows: int
    heldback: int
    gate: GateVerdict
    seconds: dict[str, float]


@dataclass(frozen=True, slots=True)
class DasDone:
    """das.score finished a partition. `sums` per task: the snapshot's own progressive errors on it."""

    seq: int
    labels: File
    rows: int
    sums: dict[str, Sums]
    seconds: dict[str, float]


@dataclass(frozen=True, slots=True)
class Stopped:
    """The last event of a child that leaves as asked."""

    reason: str


@dataclass(frozen=True, slots=True)
class Error:
    """The last event of a child that failed: whose fault, what happened, what mends it."""

    code: str
    message: str
    mend: str
    fault: Fault


Done = VmDone | FmDone | DasDone
Event = Ready | Progress | Done | Stopped | Error

_DONE: Final[dict[str, type[VmDone] | type[FmDone] | type[DasDone]]] = {
    "vm.train": VmDone,
    "fm.train": FmDone,
    "das.score": DasDone,
}
_KINDS: Final[dict[type, str]] = {
    Ready: "ready",
    Progress: "progress",
    VmDone: "done",
    FmDone: "done",
    DasDone: "done",
    Stopped: "stopped",
    Error: "error",
}


def encode_event(event: Event) -> str:
    """One line of JSON without its line end."""
    return write_line(_KINDS[type(event)], event)


def decode_event(line: str | bytes, job: str) -> Event:
    """The event in `line` from a child that runs `job`. Raises ProtocolError."""
    value = read_line(line)
    kind = value.pop("type")
    if kind == "done":
        if job not in _DONE:
            raise refuse(f"`{job}` is no job; known are {', '.join(_DONE)}.")
        return from_plain(_DONE[job], value, "done")
    simple: dict[str, type[Ready] | type[Progress] | type[Stopped] | type[Error]] = {
        "ready": Ready,
        "progress": Progress,
        "stopped": Stopped,
        "error": Error,
    }
    if kind not in simple:
        raise refuse(f"`{kind}` is no event; known are ready, progress, done, stopped, error.")
    return from_plain(simple[kind], value, kind)
