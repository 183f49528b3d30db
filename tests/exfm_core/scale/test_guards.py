"""What sharding refuses, and the traps it must not fall into, in a group of one process."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
import torch
import torch.distributed as dist

from exfm_core.errors import CheckpointError, DataError, SpecError
from exfm_core.models.foundation import FoundationNet
from exfm_core.recipes import load
from exfm_core.scale.checkpoints import load_shards, save_shards, spread, whole
from exfm_core.scale.group import Group, process_group
from exfm_core.scale.job import Job, Period, run
from exfm_core.scale.tables import ShardedTables
from exfm_core.scale.trainer import ShardedFoundationTrainer
from exfm_core.train.foundation import FoundationTrainer
from tests.exfm_core.models import golden
from tests.kit.ports import free_port_pair

SPEC = load("tiny").foundation
IDENTITY = {"spec": SPEC.to_json()}


@pytest.fixture(scope="module")
def group() -> Iterator[Group]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "RANK": 0,
            "WORLD_SIZE": 1,
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": free_port_pair(),
        }.items():
            patch.setenv(name, str(value))
        with process_group() as joined:
            yield joined
    assert not dist.is_initialized()


def test_without_torchrun_the_error_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(SpecError, match="torchrun --standalone"), process_group():
        pass


def test_starts_from_the_weights_of_one_process(group: Group) -> None:
    sharded, alone = whole(ShardedFoundationTrainer(SPEC, group)), FoundationTrainer(SPEC, "plain")
    assert sharded is not None
    for name, value in alone.net.tables.state().items():
        assert torch.equal(sharded.net.tables.state()[name], value), name
    for name, value in dict(alone.net.named_parameters()).items():
        assert torch.equal(dict(sharded.net.named_parameters())[name], value), name


def test_no_table_is_trained_by_the_dense_optimiser(group: Group) -> None:
    trainer = ShardedFoundationTrainer(SPEC, group)
    kinds = {parameter.sharding_type for plan in trainer.tables.plan.plan.values() for parameter in plan.values()}
    assert kinds <= {"table_wise", "row_wise"}
    dense = sum(parameter.numel() for parameter in trainer.net.parameters())
    alone = sum(parameter.numel() for parameter in FoundationTrainer(SPEC, "plain").net.parameters())
    assert dense == alone


def test_an_unknown_table_is_named(group: Group) -> None:
    with pytest.raises(SpecError, match="'nobody'") as refused:
        ShardedFoundationTrainer(SPEC, group, {"nobody": "row_wise"})
    assert "user_id" in str(refused.value)


def test_tables_that_do_not_fit_are_refused_with_numbers(group: Group) -> None:
    feature = replace(SPEC.model.features[0], buckets=2_000_000_000)
    spec = replace(SPEC, model=replace(SPEC.model, features=(feature, *SPEC.model.features[1:])))
    with pytest.raises(SpecError, match=r"need 12\d\.\d\d GiB; 1 processes with 2\.00 GiB each"):
        ShardedFoundationTrainer(spec, group, memory=2 * 2**30)


def test_round_trip_keeps_every_bit(group: Group, tmp_path: Path) -> None:
    alone = FoundationTrainer(SPEC, "plain")
    with torch.no_grad():
        for value in alone.net.tables.state().values():
            value.uniform_(0.0, 1.0)
    first = ShardedFoundationTrainer(SPEC, group)
    spread(alone, first)
    save_shards(first, tmp_path / "shards", IDENTITY, {"rows": 7})
    second = ShardedFoundationTrainer(SPEC, group)
    assert load_shards(second, tmp_path / "shards", IDENTITY) == {"rows": 7}
    back = whole(second)
    assert back is not None
    for name, value in alone.net.tables.state().items():
        assert torch.equal(back.net.tables.state()[name], value), name
    with pytest.raises(CheckpointError, match="there already"):
        save_shards(first, tmp_path / "shards", IDENTITY, {"rows": 8})


def test_damaged_and_foreign_checkpoints_are_refused(group: Group, tmp_path: Path) -> None:
    trainer = ShardedFoundationTrainer(SPEC, group)
    save_shards(trainer, tmp_path / "shards", IDENTITY, {})
    with pytest.raises(CheckpointError, match="another course of training: spec"):
        load_shards(trainer, tmp_path / "shards", {"spec": {"other": 1}})
    file = tmp_path / "shards" / "shard-0.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(CheckpointError, match=r"shard-0\.safetensors is missing or damaged"):
        load_shards(trainer, tmp_path / "shards", IDENTITY)
    (tmp_path / "shards" / "index.json").write_text("{")
    with pytest.raises(CheckpointError, match="no readable sharded checkpoint"):
        load_shards(trainer, tmp_path / "shards", IDENTITY)


def test_a_job_with_an_unknown_field_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "job.json"
    path.write_text(json.dumps({"spec": SPEC.to_json(), "periods": [], "out": "x", "shading": {}}))
    with pytest.raises(SpecError, match="shading"):
        Job.read(path)


@pytest.mark.parametrize("text", ["[]", "7", "{", '{"spec": [], "periods": [7], "out": 1}'])
def test_what_is_no_job_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text(text)
    with pytest.raises(SpecError):
        Job.read(tmp_path / "job.json")


def test_periods_out_of_order_are_refused_before_anything_is_written(group: Group, tmp_path: Path) -> None:
    ends = (datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
    for periods, code in (((), "scale.no_periods"), (tuple(Period(end, ()) for end in ends), "scale.time_order")):
        with pytest.raises(DataError) as caught:
            run(Job(golden.foundation("wukong", "attention"), periods, tmp_path / "out", None, {}, None), group)
        assert caught.value.code == code
    assert not (tmp_path / "out").exists()


def test_sequences_in_places_are_read_and_trained_alike(group: Group) -> None:
    """The teacher's attention needs its ids apart: several bags of one sharded table, summed into one Adagrad step."""
    model = replace(golden.foundation("wukong", "attention"), seed=3)
    make = partial(ShardedTables, group=group)
    nets = [FoundationNet(model, "plain"), FoundationNet(model, tables=make)]
    for net in nets:
        for _ in range(3):
            torch.autograd.backward(golden.logits(net).pow(2).sum())
    alone, sharded = (golden.logits(net).detach() for net in nets)
    assert torch.allclose(alone, sharded, atol=1e-5)
    assert all(net.attention is not None for net in nets)
