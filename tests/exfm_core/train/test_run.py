"""The whole loop from a spec: results, resuming bit by bit after a real kill, refusals that say what to mend."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from exfm_core.__main__ import main
from exfm_core.data.partitions import write_partition
from exfm_core.data.stream import Stream, StreamPartition
from exfm_core.errors import CheckpointError, DataError, SpecError
from exfm_core.metrics.sums import BucketSums, lift
from exfm_core.spec import Supervision
from exfm_core.spec.run import ArmSpec, ModelRun, RunSpec, TenantRun
from exfm_core.train.journal import Commit, Journal
from exfm_core.train.run import run
from exfm_core.train.starters import train_starter
from tests.exfm_core.train.factories import HOUR, ORIGIN, foundation, partition, rows, schema, vertical
from tests.kit.patience import PATIENCE

PERIODS = 4


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """A run fixes the process's threads and denormals; the other tests keep theirs."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    torch.set_flush_denormal(False)


def streams(root: Path, sizes: dict[str, int], periods: int = PERIODS) -> None:
    """A folder with a manifest per task: `click` and `conversion`."""
    for seed, (task, count) in enumerate(sizes.items()):
        parts = []
        for t in range(periods):
            written = partition(root, count, t, seed=seed, task=task)
            start = ORIGIN + t * HOUR
            file = written.file
            parts.append(StreamPartition(str(root), file.uri, start, start + HOUR, count, file.sha256, file.bytes))
        Stream(parts, schema(task)).write_manifest(f"{root}/{task}.json")


def spec(**changes: Any) -> RunSpec:
    safe, strong = Supervision("safe", aux_width=16), Supervision("strong", aux_width=16)
    arms = (ArmSpec("control"), ArmSpec("strong", strong), ArmSpec("noise", strong, teacher="shuffled", gated=False))
    launch = (ORIGIN + HOUR).isoformat()
    body: dict[str, Any] = {
        "foundation": foundation(),
        "tenants": (
            TenantRun("shop", "click.json", schema(), 1, (ModelRun("clicks", vertical(safe), launch=launch),)),
            TenantRun(
                "games",
                "conversion.json",
                schema("conversion"),
                2,
                (ModelRun("installs", vertical(strong, tasks=("conversion",)), arms),),
            ),
        ),
        "backend": "plain",
    }
    return RunSpec(**(body | changes))


def without_times(folder: Path) -> dict[str, Any]:
    """Everything that must not depend on what happened to the process."""
    commits = [json.loads(path.read_text()) for path in sorted((folder / "commits").iterdir())]
    moves = [json.loads(path.read_text()) for path in sorted((folder / "store/moves").iterdir())]
    return {
        "commits": commits,
        "moves": [{key: value for key, value in move.items() if key != "moved_at"} for move in moves],
        "results": json.loads((folder / "results.json").read_text()),
        "markdown": (folder / "results.md").read_text(),
    }


def test_the_loop_of_the_method(tmp_path: Path) -> None:
    streams(tmp_path, {"click": 1500, "conversion": 700})
    events: list[dict[str, Any]] = []
    results = run(spec(seeds=(0, 1)), tmp_path / "out", base=tmp_path, say=events.append)
    found = {(row["model"], row["seed"], row["arm"]): row for row in results["models"]}
    assert set(found) == {
        *(("clicks", seed, arm) for seed in (0, 1) for arm in ("control", "treatment")),
        *(("installs", seed, arm) for seed in (0, 1) for arm in ("control", "strong", "noise")),
    }
    assert found["clicks", 0, "control"]["rows"] == 1500 * (PERIODS - 1)
    assert found["installs", 0, "noise"]["gate"] == "1" * PERIODS
    assert found["installs", 0, "noise"]["lift"]["value"] < found["installs", 0, "strong"]["lift"]["value"]
    assert found["clicks", 0, "treatment"]["coverage"] == 1.0
    assert found["installs", 0, "strong"]["coverage"] == (PERIODS - 1) / PERIODS
    assert found["clicks", 0, "control"]["ne"] != found["clicks", 1, "control"]["ne"]
    assert results["foundation"]["periods"] == PERIODS
    assert [(row["arm"], row["seed"]) for row in results["pooled"]].count(("strong", 1)) == 1

    kinds = [event["event"] for event in events]
    assert (kinds[0], kinds[-1]) == ("begin", "end")
    lines = (tmp_path / "out/events.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == events
    # A period's scores come first, its foundation training last; its labels know nothing of it.
    order = [event["unit"].split(" ")[0] for event in events[1:-1] if "unit" in event]
    assert order[:9] == ["score"] * 2 + ["vertical"] * 2 + ["foundation"] + ["score"] * 2 + ["vertical"] * 2
    for event in events:
        if event["event"] == "score" and event.get("watermark"):
            hour = [part.start for part in Stream.read(f"{tmp_path}/click.json")]
            assert event["watermark"] <= max(hour).isoformat()

    # Each row names the checkpoint that `export` takes.
    assert len({row["checkpoint"] for row in results["models"]}) == len(results["models"])
    assert all((tmp_path / "out" / row["checkpoint"]).is_file() for row in results["models"])

    # The table is what the commits say.
    commits = [json.loads(path.read_text()) for path in sorted((tmp_path / "out/commits").iterdir())]
    mine = [one["measured"] for one in commits if one["unit"].startswith("vertical games/installs seed 1 ")]
    sums = {
        arm: BucketSums.merge([BucketSums.from_json(one["tasks"]["conversion"]["arms"][arm]["all"]) for one in mine])
        for arm in ("control", "strong")
    }
    assert found["installs", 1, "strong"]["lift"]["value"] == lift(sums["control"], sums["strong"]).value
    assert "| games / installs | conversion | 1 | strong |" in (tmp_path / "out/results.md").read_text()


def test_starters_placebos_and_clipped_labels(tmp_path: Path) -> None:
    streams(tmp_path, {"click": 800, "conversion": 300}, periods=3)
    scaled = Supervision("custom", w=1.0, alpha=2.5, aux_width=16)
    base = vertical(scaled)
    periods = [{"other": part} for part in Stream.read(f"{tmp_path}/click.json").partitions[:1]]
    starter = train_starter(base, schema(), {"other": schema()}, periods, backend="plain")
    (tmp_path / "starter.safetensors").write_bytes(starter)
    arms = (
        ArmSpec("control"),
        ArmSpec("AH", scaled, gated=False),
        ArmSpec("truth", scaled, teacher="true_label", gated=False),
        ArmSpec("warm", starter=True, dense_lr_scale=0.5),
    )
    model = ModelRun("clicks", base, arms, launch=(ORIGIN + HOUR).isoformat(), starter="starter.safetensors")
    whole = spec(tenants=(TenantRun("shop", "click.json", schema(), 1, (model,)),))
    results = run(whole, tmp_path / "out", base=tmp_path)
    found = {row["arm"]: row for row in results["models"]}
    assert found["AH"]["teachers_share"] == found["AH"]["lift"]["value"] - found["truth"]["lift"]["value"]
    assert "teachers_share" not in found["warm"]
    assert found["warm"]["ne"] != found["control"]["ne"]
    assert found["AH"]["clipped_share"] > 0.01
    assert any("AH" in warning and "alpha" in warning for warning in results["warnings"])
    assert "Warning: shop / clicks, AH" in (tmp_path / "out/results.md").read_text()


def start(root: Path, out: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "exfm_core", "run", str(root / "spec.json"), "--out", str(root / out), "--quiet"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def kill_after(root: Path, out: str, commits: int) -> None:
    """Starts the command and kills it once it has made that many commits."""
    process = start(root, out)
    folder, deadline = root / out / "commits", time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if folder.is_dir() and sum(1 for _ in folder.glob("[0-9]*.json")) >= commits:
            break
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait(PATIENCE) == -signal.SIGKILL
    for pipe in (process.stdout, process.stderr):
        assert pipe is not None
        pipe.close()


@pytest.mark.chaos
def test_a_killed_run_goes_on_bit_by_bit(tmp_path: Path) -> None:
    streams(tmp_path, {"click": 3000, "conversion": 1500})
    whole = spec()
    (tmp_path / "spec.json").write_text(json.dumps(whole.to_json()))
    run(whole, tmp_path / "undisturbed", base=tmp_path)
    kill_after(tmp_path, "killed", 4)
    kill_after(tmp_path, "killed", 11)
    assert not (tmp_path / "killed/results.json").exists()
    run(whole, tmp_path / "killed", base=tmp_path)
    one, other = without_times(tmp_path / "undisturbed"), without_times(tmp_path / "killed")
    assert one == other
    resumed = [json.loads(line) for line in (tmp_path / "killed/events.jsonl").read_text().splitlines()]
    assert sum(event["event"] == "resume" for event in resumed) == 2
    assert main(["run", str(tmp_path / "spec.json"), "--out", str(tmp_path / "killed"), "--quiet"]) == 0
    assert without_times(tmp_path / "killed") == one


def test_a_pointer_moved_before_the_commit_is_not_moved_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if killed between the move of the pointer and the commit of the period."""
    streams(tmp_path, {"click": 800, "conversion": 400}, periods=3)
    run(spec(), tmp_path / "whole", base=tmp_path)
    real = Journal.commit

    def dies(self: Journal, unit: str, states: dict[str, bytes], measured: dict[str, Any]) -> Commit:
        if unit.startswith("foundation") and len(self.commits) > 6:
            raise KeyboardInterrupt
        return real(self, unit, states, measured)

    monkeypatch.setattr(Journal, "commit", dies)
    with pytest.raises(KeyboardInterrupt):
        run(spec(), tmp_path / "cut", base=tmp_path)
    monkeypatch.undo()
    run(spec(), tmp_path / "cut", base=tmp_path)
    assert without_times(tmp_path / "cut") == without_times(tmp_path / "whole")


def test_another_spec_or_other_data_is_another_run(tmp_path: Path) -> None:
    streams(tmp_path, {"click": 300, "conversion": 200}, periods=2)
    run(spec(), tmp_path / "out", base=tmp_path)
    with pytest.raises(SpecError, match="its spec differ"):
        run(spec(seeds=(1,)), tmp_path / "out", base=tmp_path)
    streams(tmp_path, {"click": 310, "conversion": 200}, periods=2)
    with pytest.raises(SpecError, match="its partitions differ"):
        run(spec(), tmp_path / "out", base=tmp_path)


def test_a_damaged_checkpoint_is_refused_by_name(tmp_path: Path) -> None:
    folder = Journal(tmp_path, {"spec": 1})
    folder.commit("one", {"a": b"state"}, {})
    (path,) = (tmp_path / "checkpoints").iterdir()
    path.write_bytes(b"stale")
    with pytest.raises(CheckpointError) as caught:
        Journal(tmp_path, {"spec": 1}).state("a")
    assert caught.value.code == "das.damaged"
    assert caught.value.mend


def test_commits_are_immutable_and_states_are_not_hoarded(tmp_path: Path) -> None:
    journal, late = Journal(tmp_path, {}), Journal(tmp_path, {})
    for i in range(5):
        journal.commit(f"unit {i}", {"a": f"state {i}".encode(), "b": b"same"}, {"x": i})
    assert journal.state("a") == Journal(tmp_path, {}).state("a") == b"state 4"
    assert len(list((tmp_path / "checkpoints").iterdir())) == 2
    with pytest.raises(CheckpointError, match="Another process"):
        late.commit("unit 0", {}, {})


def replace_clicks(root: Path, tables: list[pa.Table]) -> None:
    """Another stream of clicks, one table a period."""
    parts = []
    for t, table in enumerate(tables):
        uri, begin = f"other-{t}.parquet", ORIGIN + t * HOUR
        written = write_partition(root / uri, table, schema())
        parts.append(StreamPartition(str(root), uri, begin, begin + HOUR, len(table), written.sha256, written.bytes))
    Stream(parts, schema()).write_manifest(f"{root}/click.json")


def test_a_value_that_is_no_number_is_named_with_its_place(tmp_path: Path) -> None:
    streams(tmp_path, {"click": 200, "conversion": 200}, periods=2)
    good, bad = rows(200, 0), rows(200, 1)
    age = bad["age"].to_numpy().copy()
    age[17] = np.inf
    replace_clicks(tmp_path, [good, bad.set_column(5, "age", [age])])
    with pytest.raises(DataError) as caught:
        run(spec(), tmp_path / "out", base=tmp_path)
    assert caught.value.code == "data.invalid"
    assert "other-1.parquet: Column 'age', row 17: expected" in caught.value.message
    assert caught.value.mend


def test_one_class_has_no_ne_and_the_table_says_so(tmp_path: Path) -> None:
    streams(tmp_path, {"click": 200, "conversion": 200}, periods=2)
    replace_clicks(tmp_path, [rows(200, t).set_column(6, "click", [np.zeros(200, np.int8)]) for t in range(2)])
    results = run(spec(), tmp_path / "out", base=tmp_path)
    row = next(row for row in results["models"] if row["model"] == "clicks")
    assert row["ne"] == {"value": None, "reason": "only one class"}
    assert "– (only one class)" in (tmp_path / "out/results.md").read_text()


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"tenants": ()}, "run.empty"),
        ({"seeds": (0, 0)}, "spec.duplicate"),
        ({"tolerance": 2.0}, "spec.out_of_range"),
        ({"tenants": (TenantRun("a", "x", schema(), 40),)}, "run.slot"),
        ({"tenants": (TenantRun("a", "x", schema(), 1), TenantRun("b", "y", schema(), 1))}, "spec.duplicate"),
    ],
)
def test_a_spec_that_cannot_run_is_refused(wrong: dict[str, Any], code: str) -> None:
    with pytest.raises(SpecError) as caught:
        spec(**wrong)
    assert caught.value.code == code
    assert caught.value.mend


def test_a_spec_comes_back_from_json() -> None:
    assert RunSpec.from_json(json.loads(json.dumps(spec().to_json()))) == spec()


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "spec.json").write_text("{")
    assert main(["run", str(tmp_path / "spec.json"), "--out", str(tmp_path / "out")]) == 1
    (tmp_path / "spec.json").write_text(json.dumps(spec().to_json() | {"seed": 1}))
    assert main(["run", str(tmp_path / "spec.json"), "--out", str(tmp_path / "out")]) == 1
    (tmp_path / "spec.json").write_text(json.dumps(spec().to_json()))
    assert main(["run", str(tmp_path / "spec.json"), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in said if ".json: " in line or line.startswith(("spec.", "stream."))][1:] == [
        "spec.unknown_field",
        "stream.no_manifest",
    ]


def test_what_the_system_refuses_is_a_sentence_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    streams(tmp_path, {"click": 200, "conversion": 200}, periods=1)
    (tmp_path / "spec.json").write_text(json.dumps(spec().to_json()))
    (tmp_path / "file").write_text("")
    before = sorted(path.name for path in tmp_path.iterdir())
    for place in ("file", "file/out"):
        assert main(["run", str(tmp_path / "spec.json"), "--out", str(tmp_path / place)]) == 1
    assert main(["run", str(tmp_path / "none.json"), "--out", str(tmp_path / "out")]) == 1
    assert main(["recipe", "tiny", "--cache", str(tmp_path / "file")]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 4 and all("[Errno" not in line and line.endswith(".") for line in said), said
    assert [line.split(": ")[0] for line in said] == ["run", "run", "run", "recipe"]
    assert all(
        str(tmp_path / name) in line for line, name in zip(said, ["file", "file", "none.json", "file"], strict=True)
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    for wrong in ("--seeds", "--jobs"):
        with pytest.raises(SystemExit, match="2"):
            main(["recipe", "tiny", wrong, "0"])


def test_another_number_of_rows_is_named_with_its_partition(tmp_path: Path) -> None:
    streams(tmp_path, {"click": 200, "conversion": 200}, periods=1)
    body = json.loads((tmp_path / "click.json").read_text())
    body["partitions"][0]["rows"] += 1
    (tmp_path / "click.json").write_text(json.dumps(body))
    with pytest.raises(DataError, match=f"partition {body['partitions'][0]['uri']}: sealed with 201 rows") as caught:
        run(spec(), tmp_path / "out", base=tmp_path)
    assert caught.value.code == "data.rows"


@pytest.mark.parametrize("name", ["run.json", "commits/00000000.json"])
@pytest.mark.parametrize("text", ["[]", "{", "7"])
def test_a_damaged_record_is_refused_by_name(tmp_path: Path, name: str, text: str) -> None:
    Journal(tmp_path, {"spec": 1}).commit("one", {}, {"rows": 10})
    (tmp_path / name).write_text(text)
    with pytest.raises(CheckpointError, match=name) as caught:
        Journal(tmp_path, {"spec": 1})
    assert caught.value.code == "run.damaged"


def test_a_number_changed_in_a_commit_is_seen(tmp_path: Path) -> None:
    Journal(tmp_path, {}).commit("one", {}, {"rows": 10})
    path = tmp_path / "commits/00000000.json"
    path.write_text(path.read_text().replace("10", "11"))
    with pytest.raises(CheckpointError, match="commits/00000000"):
        Journal(tmp_path, {})
    body = json.loads(path.read_text())
    del body["sha256"]  # a commit of an earlier release
    path.write_text(json.dumps(body))
    assert Journal(tmp_path, {}).commits == [Commit(0, "one", {}, {"rows": 11})]


def test_an_overlap_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    streams(tmp_path, {"click": 200, "conversion": 200}, periods=2)
    body = json.loads((tmp_path / "click.json").read_text())
    body["partitions"].reverse()
    (tmp_path / "click.json").write_text(json.dumps(body))
    with pytest.raises(DataError) as caught:
        run(spec(), tmp_path / "out", base=tmp_path)
    assert caught.value.code == "stream.order"
