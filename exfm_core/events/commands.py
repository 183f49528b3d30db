"""Commands: supervisor → child, one per line on the child's standard input."""

from dataclasses import dataclass, field
from typing import Any, Final, Literal

from exfm_core.events.codec import from_plain, read_line, refuse, write_line
from exfm_core.events.values import Arm, File, Gate, check_interval, parse_instant

Job = Literal["vm.train", "fm.train", "das.score"]


@dataclass(frozen=True, slots=True)
class Start:
    """The first command: which job, where its files live, and from which checkpoints it goes on.

    `storage` is an fsspec URL, `prefix` the folder below it for what this attempt writes. `resume` maps each arm
    (vm.train) or "fm" (fm.train) to its last committed checkpoint, or None to start from the seed.
    `progress_every` is the shortest time between progress events, in seconds.
    """

    job: Job
    run: str
    attempt: int
    storage: str
    prefix: str
    spec: dict[str, Any] | None = None
    schema: dict[str, Any] | None = None
    arms: tuple[Arm, ...] = ()
    resume: dict[str, File | None] = field(default_factory=dict)
    threads: int = 1
    progress_every: float = 1.0

    def __post_init__(self) -> None:
        if "://" not in self.storage:
            raise refuse(f"`start.storage` must be a URL such as file:///srv/exfm, found {self.storage!r}.")
        if not self.prefix or self.prefix.startswith("/") or ".." in self.prefix.split("/"):
            raise refuse(f"`start.prefix` must be a folder below the storage root, found {self.prefix!r}.")
        if self.threads < 1:
            raise refuse(f"`start.threads` must be at least 1, found {self.threads}.")
        if self.job != "das.score" and self.spec is None:
            raise refuse(f"`start` of {self.job} lacks the field `spec`.")
        if self.job == "vm.train":
            if self.schema is None:
                raise refuse("`start` of vm.train lacks the field `schema`.")
            if not self.arms or len(set(self.arms)) != len(self.arms):
                raise refuse("`start.arms` of vm.train must name control, treatment or both, each once.")
        allowed: set[str] = set(self.arms) if self.job == "vm.train" else {"fm"} if self.job == "fm.train" else set()
        stray = sorted(set(self.resume) - allowed)
        if stray:
            raise refuse(f"`start.resume` names `{stray[0]}`, which {self.job} does not train.")


@dataclass(frozen=True, slots=True)
class Partition:
    """A sealed partition of a stream; `[start, end)` in event time, ISO 8601."""

    id: str
    file: File
    rows: int
    start: str
    end: str

    def __post_init__(self) -> None:
        check_interval(self.start, self.end, "partition")


@dataclass(frozen=True, slots=True)
class FmPartition:
    """A sealed partition as the foundation model sees it, with its schema and the tenant's slot (0 = unseen)."""

    id: str
    tenant_slot: int
    schema: dict[str, Any]
    file: File
    rows: int
    start: str
    end: str

    def __post_init__(self) -> None:
        check_interval(self.start, self.end, "partition")
        if self.tenant_slot < 0:
            raise refuse(f"`partition.tenant_slot` must not be negative, found {self.tenant_slot}.")


@dataclass(frozen=True, slots=True)
class Labels:
    """A committed label set of the partition; `task` names the head whose logits the vertical model reads."""

    file: File
    snapshot: str
    watermark: str
    task: str

    def __post_init__(self) -> None:
        parse_instant(self.watermark, "labels.watermark")


@dataclass(frozen=True, slots=True)
class VmWork:
    """vm.train: predict this partition, then train on it."""

    seq: int
    partition: Partition
    labels: Labels | None = None
    gate: Gate = "open"


@dataclass(frozen=True, slots=True)
class Period:
    """The period `[start, end)` whose manifest an FM run consumes."""

    start: str
    end: str

    def __post_init__(self) -> None:
        check_interval(self.start, self.end, "period")


@dataclass(frozen=True, slots=True)
class FmCurrent:
    """The published snapshot that a candidate is compared with."""

    id: str
    file: File


@dataclass(frozen=True, slots=True)
class GateLimits:
    """When a candidate is refused: relative worsening of NE, and the limits of Σp / Σy."""

    tolerance: float = 0.02
    calibration: tuple[float, ...] = (0.8, 1.25)

    def __post_init__(self) -> None:
        if len(self.calibration) != 2 or not 0 < self.calibration[0] < self.calibration[1]:
            raise refuse("`gate.calibration` must be two rising positive numbers.")
        if self.tolerance < 0:
            raise refuse(f"`gate.tolerance` must not be negative, found {self.tolerance}.")


@dataclass(frozen=True, slots=True)
class FmWork:
    """fm.train: train on the union of the period's manifest, then judge the candidate."""

    seq: int
    period: Period
    partitions: tuple[FmPartition, ...]
    current: FmCurrent | None = None
    gate: GateLimits = field(default_factory=GateLimits)


@dataclass(frozen=True, slots=True)
class ScoringSnapshot:
    """The snapshot that scores; its watermark must not be later than the partition's start."""

    id: str
    file: File
    watermark: str

    def __post_init__(self) -> None:
        parse_instant(self.watermark, "snapshot.watermark")


@dataclass(frozen=True, slots=True)
class DasWork:
    """das.score: score one partition with one snapshot."""

    seq: int
    partition: FmPartition
    snapshot: ScoringSnapshot


@dataclass(frozen=True, slots=True)
class Ack:
    """The commit of `seq` is durable."""

    seq: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Finish the batch, discard the uncommitted partition, answer `stopped`, leave."""

    reason: str


@dataclass(frozen=True, slots=True)
class Finish:
    """No more work comes: leave after the outstanding acknowledgements."""


Work = VmWork | FmWork | DasWork
Command = Start | Work | Ack | Stop | Finish

_WORK: Final[dict[str, type[VmWork] | type[FmWork] | type[DasWork]]] = {
    "vm.train": VmWork,
    "fm.train": FmWork,
    "das.score": DasWork,
}
_KINDS: Final[dict[type, str]] = {
    Start: "start",
    VmWork: "work",
    FmWork: "work",
    DasWork: "work",
    Ack: "ack",
    Stop: "stop",
    Finish: "finish",
}


def encode_command(command: Command) -> str:
    """One line of JSON without its line end."""
    return write_line(_KINDS[type(command)], command)


def decode_command(line: str | bytes, job: str | None = None) -> Command:
    """The command in `line`. `job` of the run decides what a `work` holds. Raises ProtocolError."""
    value = read_line(line)
    kind = value.pop("type")
    if kind == "work":
        if job not in _WORK:
            raise refuse("A `work` came before `start`.")
        return from_plain(_WORK[job], value, "work")
    simple: dict[str, type[Start] | type[Ack] | type[Stop] | type[Finish]] = {
        "start": Start,
        "ack": Ack,
        "stop": Stop,
        "finish": Finish,
    }
    if kind not in simple:
        raise refuse(f"`{kind}` is no command; known are start, work, ack, stop, finish.")
    return from_plain(simple[kind], value, kind)
