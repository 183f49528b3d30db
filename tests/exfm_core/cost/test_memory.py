"""Memory before the start: exact where it says so, never below what training takes, and a refusal with numbers."""

import dataclasses
from pathlib import Path

import numpy as np
import psutil
import pytest

from exfm_core.cost import memory
from exfm_core.data.idmap import IdMap
from exfm_core.data.partitions import PIECE_ROWS
from exfm_core.errors import CapacityError, SpecError
from exfm_core.models.foundation import FoundationNet
from exfm_core.spec import Feature, StreamSchema, VerticalSpec
from exfm_core.train.checkpoints import module_state, save_student
from exfm_core.train.local import study, teach
from exfm_core.train.vertical import VerticalTrainer
from tests.exfm_core.train.driver import Child
from tests.exfm_core.train.factories import foundation, partition, schema, vertical

GB = 10**9


def test_tables_and_optimizer_are_exact_to_the_byte(tmp_path: Path) -> None:
    spec = vertical()
    trainer = VerticalTrainer(spec, schema(), ("control", "treatment"))
    part = partition(tmp_path, 200, 1)
    trainer.train(tmp_path / part.file.uri, 200, None, gate_open=True)
    plan = memory.vertical_memory(spec, schema(), rows=200)
    kernels = [student.net.tables.kernel for student in trainer.students.values()]
    assert plan.tables == sum(w.numel() * w.element_size() for kernel in kernels for w in kernel.weights)
    assert plan.optimizer == sum(s.numel() * s.element_size() for kernel in kernels for s in kernel.states)
    dense = 0
    for student in trainer.students.values():
        for weight in module_state(student.net).values():
            moments = student.optimizer.state[weight]
            dense += sum(t.numel() * 4 for t in (weight, weight, moments["exp_avg"], moments["exp_avg_sq"]))
    alone = memory.vertical_memory(spec, schema(), arms=1).dense
    assert dense == 2 * alone
    assert plan.dense >= dense
    checkpoint = len(save_student(trainer.students["treatment"], {}, {}))
    assert plan.checkpoint >= memory.CHECKPOINT_COPIES * checkpoint * 0.5


def test_a_foundation_models_tables_are_exact_too() -> None:
    spec = foundation()
    net = FoundationNet(spec, "plain")
    plan = memory.foundation_memory(spec)
    assert plan.tables == 2 * sum(w.numel() * 4 for w in net.tables.kernel.weights)
    assert plan.optimizer == 2 * sum(s.numel() * 4 for s in net.tables.kernel.states)
    dense = sum(w.numel() for w in net.parameters())
    assert plan.dense == dense * 4 * 5
    assert memory.foundation_memory(spec, rows=1000).reader > plan.reader


def test_this_process_stays_below_the_plan() -> None:
    """Everything the suite has loaded is in this process too, so only the tables' growth is compared."""
    wide = StreamSchema((Feature("item_id", buckets=500_000),), schema().tasks)
    model = {"features": ["item_id"], "tasks": ["click"], "embedding_dim": 32}
    spec = VerticalSpec.from_json({"model": model, "schema_version": 2})
    plan = memory.vertical_memory(spec, wide, arms=1)
    before = psutil.Process().memory_info().rss
    trainer = VerticalTrainer(spec, wide, ("control",))
    grown = psutil.Process().memory_info().rss - before
    held = sum(w.numel() * 4 for w in trainer.students["control"].net.tables.kernel.weights)
    assert held == plan.tables == 500_000 * 32 * 4
    assert grown < plan.total - memory.PROCESS_BYTES + 50_000_000


def test_what_could_never_fit_and_what_does_not_fit_now_are_two_refusals() -> None:
    plan = memory.MemoryPlan(8 * GB, GB, 0, 0, 0, 0, process=0)
    memory.require(plan, "This", available=9 * GB, total=10 * GB)
    with pytest.raises(SpecError, match=r"needs 9\.0 GB \(tables 8\.0 GB, .* has 8\.0 GB") as never:
        memory.require(plan, "This", available=8 * GB, total=8 * GB)
    assert never.value.code == "memory.never_fits" and "buckets" in never.value.mend
    with pytest.raises(CapacityError, match=r"2\.0 GB of 16\.0 GB are free") as now:
        memory.require(plan, "This", available=2 * GB, total=16 * GB)
    assert now.value.code == "memory.no_room_now"


def test_the_machine_is_asked() -> None:
    assert 0 < memory.available_bytes() <= memory.total_bytes() <= psutil.virtual_memory().total


def test_a_control_groups_limit_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "memory.max").write_text(f"{3 * GB}\n")
    (tmp_path / "memory.current").write_text(f"{2 * GB}\n")
    (tmp_path / "memory.stat").write_text(f"anon 5\ninactive_file {GB}\n")
    unlimited = tmp_path / "none"
    unlimited.mkdir()
    (unlimited / "memory.max").write_text("max\n")
    (unlimited / "memory.current").write_text("1\n")
    monkeypatch.setattr(memory, "_group_folders", lambda: [unlimited, tmp_path])
    assert memory.total_bytes() == 3 * GB
    assert memory.available_bytes() == 2 * GB


def test_a_child_refuses_a_table_no_machine_holds_before_it_allocates(tmp_path: Path) -> None:
    huge = Feature("item_id", buckets=2**31 - 1, catalogue="item_id")
    body = StreamSchema((huge, *schema().features[2:]), schema().tasks, user_key=None).to_json()
    with Child(tmp_path) as child:
        arms = ["control", "treatment"]
        child.start("vm.train", spec=vertical().to_json(), schema=body, arms=arms, resume=dict.fromkeys(arms))
        error = child.next()
        assert child.wait() == 1
        assert "torch" not in child.log()
    assert (error["type"], error["code"], error["fault"]) == ("error", "memory.never_fits", "user")
    assert "tables 137.4 GB" in error["message"]


def test_the_reader_is_counted_as_it_reads() -> None:
    assert memory.PIECE_ROWS == PIECE_ROWS
    small, large = (memory.vertical_memory(vertical(), schema(), rows=rows).reader for rows in (1000, 10**6))
    assert 0 < small < large < 100_000_000
    assert memory.vertical_memory(vertical(), schema()).reader == 0


def test_managed_ids_are_counted() -> None:
    many = dataclasses.replace(schema().features[1], hashed=False, managed=True, buckets=100_000)
    stream = dataclasses.replace(schema(), features=(schema().features[0], many, *schema().features[2:]))
    known = IdMap(many.buckets)
    known.admit(np.arange(many.buckets))
    held = sum(a.nbytes for a in vars(known).values() if isinstance(a, np.ndarray))
    plan = memory.vertical_memory(vertical(), stream)
    assert 2 * held <= plan.ids < 4 * held
    assert memory.vertical_memory(vertical(), schema()).ids == 0


def test_a_study_and_a_teacher_are_refused_alike() -> None:
    huge = dataclasses.replace(schema().features[1], buckets=2**31 - 1)
    stream = dataclasses.replace(schema(), features=(huge, *schema().features[2:]), user_key=None)
    with pytest.raises(SpecError, match="This study needs") as caught:
        study(vertical(), stream, [], [])
    assert caught.value.code == "memory.never_fits"
    model = dataclasses.replace(foundation().model, features=(huge,))
    with pytest.raises(SpecError, match="Teaching needs"):
        teach(dataclasses.replace(foundation(), model=model), {}, [])
