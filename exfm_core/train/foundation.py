"""The trainer of the foundation model: one period's union of streams, once over, held-back users apart."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from exfm_core.das.scorer import predict
from exfm_core.das.snapshots import Snapshot
from exfm_core.distill.student import dense_adam
from exfm_core.models.embeddings import Backend
from exfm_core.models.foundation import FoundationNet
from exfm_core.spec import FoundationSpec
from exfm_core.train.foundation_rows import Stream, forget_tenants, known_tenants, merge, with_tenant
from exfm_core.train.gate import Judgement, Limits, judge
from exfm_core.train.heldback import KeptRows
from exfm_core.train.rows import Cutter, Rows, spans

Tick = Callable[[int, dict[str, float]], None]
"""Called after each batch with the rows trained so far and metrics for display; may raise to stop."""


@dataclass(frozen=True, slots=True)
class FoundationOutcome:
    """One period. `rows` trained on, `heldback` rows kept apart."""

    rows: int
    heldback: int
    judgement: Judgement
    seconds: dict[str, float]


class FoundationTrainer:
    """Holds the foundation lineage. `slots`: tenant slots it has ever trained on."""

    def __init__(self, spec: FoundationSpec, backend: Backend = "fused", net: FoundationNet | None = None) -> None:
        self.spec = spec
        self.net = net or FoundationNet(spec, backend)
        self.optimizer = dense_adam(self.net, spec.optimizer.dense_lr)
        self.slots: frozenset[int] = frozenset()
        self.rows_seen = 0
        self.kept = KeptRows()

    def train(
        self, streams: list[Stream], current: Snapshot | None, limits: Limits, tick: Tick | None = None
    ) -> FoundationOutcome:
        """Trains on every row of the period whose user is not held back, then judges the candidate on the others."""
        started = time.perf_counter()
        before = self.rows_seen
        size = self.spec.optimizer.batch_size
        held: list[Rows] = []
        carry: Rows | None = None
        reading = time.perf_counter()
        read = 0.0
        for rows in merge(streams, self.spec.model):
            rows = known_tenants(rows, self.spec.model.tenant_slots)
            if rows.held_back.any():
                held.append(rows.take(rows.held_back))
            kept = rows.take(~rows.held_back)
            union = kept if carry is None else Rows.concatenate([carry, kept])
            whole = len(union) - len(union) % size
            carry = union.take(np.arange(whole, len(union)))
            read += time.perf_counter() - reading
            self._train_rows(union.take(np.arange(whole)), tick, before)
            reading = time.perf_counter()
        if carry is not None and len(carry):
            self._train_rows(carry, tick, before)
        trained = time.perf_counter()
        slots = {stream.slot for stream in streams if 0 < stream.slot < self.spec.model.tenant_slots}
        self.slots |= slots
        judgement = self._judge(Rows.concatenate(held) if held else None, current, limits, frozenset(slots))
        now = time.perf_counter()
        seconds = {"total": now - started, "read": read, "train": trained - started - read, "gate": now - trained}
        return FoundationOutcome(self.rows_seen - before, sum(map(len, held)), judgement, seconds)

    def _train_rows(self, rows: Rows, tick: Tick | None, before: int) -> None:
        masked = with_tenant(forget_tenants(rows, self.rows_seen))
        cutter, slots = Cutter(masked), torch.from_numpy(masked.slots)
        known = torch.tensor(np.isfinite(masked.labels).astype(np.float32))
        labels = torch.tensor(np.nan_to_num(masked.labels))
        for start, stop in spans(len(masked), self.spec.optimizer.batch_size):
            loss = self._step(cutter, slots[start:stop], labels[start:stop], known[start:stop], start, stop)
            self.rows_seen += stop - start
            if tick is not None:
                tick(self.rows_seen - before, {"loss": loss})

    def _step(self, cutter: Cutter, slots: Tensor, y_bk: Tensor, known_bk: Tensor, start: int, stop: int) -> float:
        inputs = self.net.tables.admit(cutter.inputs(start, stop))
        logits_bk = self.net(inputs, slots, checked=True)
        loss = foundation_loss(logits_bk, y_bk, known_bk)
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        self.optimizer.step()
        return float(loss.detach())

    def _finite(self) -> bool:
        """True if every weight of the candidate is a finite number."""
        tensors = [*self.net.tables.state().values(), *self.net.parameters()]
        return all(bool(torch.isfinite(tensor).all()) for tensor in tensors)

    def _judge(self, held: Rows | None, current: Snapshot | None, limits: Limits, slots: frozenset[int]) -> Judgement:
        if not self._finite():
            return Judgement("corrupt", "A weight of the candidate is not a finite number.")
        present = slots | {0}
        kept, ages = self.kept.with_newest(held, present)
        self.kept.push(held, present)
        if kept is None:
            return Judgement("publish", "No user of this period is held back: nothing to judge on.")
        rows = with_tenant(kept)
        # A snapshot of another architecture reads other inputs: the candidate is then judged by the limits alone.
        same = current is not None and current.spec.model == self.spec.model
        old = predict(current.net, rows) if current is not None and same else None
        kinds, logits = self.spec.model.task_kinds, predict(self.net, rows)
        return judge(kinds, logits, old, rows.labels, rows.slots, rows.buckets, limits, ages)


def foundation_loss(logits_bk: Tensor, y_bk: Tensor, known_bk: Tensor) -> Tensor:
    """Σ over the tasks that a row has of h(z, y), averaged over the batch's rows."""
    losses_bk = torch.nn.functional.binary_cross_entropy_with_logits(logits_bk, y_bk, weight=known_bk, reduction="sum")
    return losses_bk / len(logits_bk)
