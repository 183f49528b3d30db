"""Commands and events survive one line of JSON, and malformed lines are refused with the field's name."""

import json
import subprocess
import sys
from typing import Any

import pytest

from exfm_core import events

FILE = events.File("runs/r/1/1-ab.safetensors", "a" * 64, 12)
SUMS = events.Sums(*(tuple(float(i) for i in range(256)) for _ in range(4)))
START, END = "2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00"
PARTITION = events.Partition("p", FILE, 10, START, END)
FM_PARTITION = events.FmPartition("p", 1, {"features": []}, FILE, 10, START, END)

COMMANDS: list[events.Command] = [
    events.Start("vm.train", "r", 1, "file:///x", "runs/r/1", {"a": 1}, {"b": 2}, ("control",), {"control": FILE}),
    events.Start("das.score", "r", 1, "file:///x", "runs/r/1"),
    events.VmWork(1, PARTITION, events.Labels(FILE, "s", START, "click"), "shut"),
    events.VmWork(2, PARTITION),
    events.FmWork(1, events.Period(START, END), (FM_PARTITION,), events.FmCurrent("s", FILE)),
    events.DasWork(1, FM_PARTITION, events.ScoringSnapshot("s", FILE, START)),
    events.Ack(3),
    events.Stop("budget"),
    events.Finish(),
]
EVENTS: list[events.Event] = [
    events.Ready(1, {"torch": "2"}, 1, "AVX2"),
    events.Progress(1, 5, 10, 2.5, {"ne_control": 0.9}),
    events.VmDone(
        1,
        {"control": events.ArmResult(FILE, SUMS, SUMS, None, "eJw=", 0.1)},
        SUMS,
        10,
        9,
        0,
        events.ArmSeconds(1.0, 0.1, 0.4, 0.5),
        3,
    ),
    events.FmDone(
        1,
        FILE,
        FILE,
        END,
        10,
        1,
        events.GateVerdict("publish", "fine", (events.HeadVerdict(0, "click", 1, 0.5, None, 1.0),)),
        {"total": 1.0},
    ),
    events.DasDone(1, FILE, 10, {"click": SUMS}, {"total": 1.0}),
    events.Stopped("finish"),
    events.Error("data.missing", "No file.", "Upload it.", "user"),
]


def job_of(message: Any) -> str:
    name = type(message).__name__
    return "fm.train" if name.startswith("Fm") else "das.score" if name.startswith("Das") else "vm.train"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
def test_commands_survive(command: events.Command) -> None:
    line = events.encode_command(command)
    assert "\n" not in line
    assert events.decode_command(line, job_of(command)) == command


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_events_survive(event: events.Event) -> None:
    assert events.decode_event(events.encode_event(event), job_of(event)) == event


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "not JSON"),
        ("[]", "JSON object"),
        ("{}", "`type`"),
        ('{"type":"dance"}', "dance"),
        ('{"type":"ack"}', "`seq`"),
        ('{"type":"ack","seq":true}', "ack.seq"),
        ('{"type":"ack","seq":1,"more":1}', "`more`"),
        ('{"type":"stop","reason":null}', "found null"),
    ],
)
def test_malformed_lines_name_the_field(line: str, says: str) -> None:
    with pytest.raises(events.ProtocolError, match=says) as caught:
        events.decode_command(line, "vm.train")
    assert caught.value.mend


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (("gate",), "ajar", "open, shut"),
        (("partition", "end"), START, "start before it ends"),
        (("partition", "start"), "2026-01-01T00:00:00", "time zone"),
        (("partition", "file", "uri"), "../etc/passwd", "below the storage root"),
        (("partition", "file", "sha256"), "xyz", "hex"),
        (("partition", "rows"), 1.5, "partition.rows"),
    ],
)
def test_bad_work_is_refused(path: tuple[str, ...], value: Any, says: str) -> None:
    body = json.loads(events.encode_command(COMMANDS[2]))
    place = body
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(events.ProtocolError, match=says):
        events.decode_command(json.dumps(body), "vm.train")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"storage": "/x"}, "URL"),
        ({"prefix": "/abs"}, "prefix"),
        ({"arms": ["control", "control"]}, "each once"),
        ({"schema": None}, "`schema`"),
        ({"resume": {"fm": None}}, "does not train"),
        ({"threads": 0}, "threads"),
    ],
)
def test_bad_start_is_refused(change: dict[str, Any], says: str) -> None:
    body = json.loads(events.encode_command(COMMANDS[0])) | change
    with pytest.raises(events.ProtocolError, match=says):
        events.decode_command(json.dumps(body))


def test_work_before_start_is_refused() -> None:
    with pytest.raises(events.ProtocolError, match="before"):
        events.decode_command(events.encode_command(COMMANDS[3]))


def test_numbers_that_json_lacks_are_refused() -> None:
    with pytest.raises(events.ProtocolError):
        events.encode_event(events.Progress(1, 1, 1, float("nan")))


def test_import_is_torch_free() -> None:
    code = "import sys, exfm_core.events; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
