"""Embedding tables behind one small interface, with their optimiser inside the backward pass.

Row-wise Adagrad: per row r with summed gradient g_r, state_r += mean(g_r²), w_r −= lr · g_r / (√state_r + ε).
Back ends: `fused` (TorchRec over FBGEMM's kernels) and `plain` (torch alone), which is the fused one's oracle.
All bags are mean-pooled; an empty bag is a zero vector; a sequence that is read in places is a bag per id. Row numbers
must lie inside their tables: FBGEMM's CPU kernel would read whatever is there, so `Tables` checks them unless the
caller promises it has (`checked=True`).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from exfm_core.errors import DataError
from exfm_core.models.inputs import Inputs
from exfm_core.models.managed import ManagedIds
from exfm_core.models.places import Bag, Places
from exfm_core.spec import Feature

EPS: Final = 1e-8
INITIAL_SPREAD: Final = 0.01
Backend = Literal["fused", "plain"]


class Kernel(Protocol):
    """One back end. `weights` and `states` are views of the live tables, in their order: [rows, D] and [rows]."""

    weights: list[Tensor]
    states: list[Tensor]

    def lookup(self, indices: Tensor, offsets: Tensor, rows: int) -> Tensor:
        """Pooled rows [B, bags·D]; a backward pass through the result updates the tables."""
        ...


class Tables:
    """The embedding tables of one model, all of one dimension: one per sparse feature, unless `bags` says otherwise.

    Not an `nn.Module` on purpose: tables are no dense parameters, and no dense optimiser may find them. `managed`: the
    id maps of managed features, where there are any.
    """

    managed: ManagedIds | None = None
    places: Places | None = None

    def __init__(
        self,
        rows: dict[str, int],
        dim: int,
        learning_rate: float,
        generator: torch.Generator,
        backend: Backend = "fused",
        bags: Mapping[str, Bag] | None = None,
    ) -> None:
        """`rows`: table → its size. `bags`: how each sparse feature is read; None: the mean, a table for each."""
        self.names = tuple(rows)
        self.rows = tuple(rows.values())
        self.dim = dim
        self.places = Places(bags, self.names) if bags is not None else None
        make = _FusedKernel if backend == "fused" else _PlainKernel
        self.kernel: Kernel = make(rows, dim, learning_rate, self.kernel_tables)
        for weight in self.kernel.weights:
            weight.normal_(0.0, INITIAL_SPREAD, generator=generator)

    def __call__(self, inputs: Inputs, *, checked: bool = False) -> Tensor:
        """Pooled embeddings [B, F, D] of tables without `bags`. Raises DataError for a row number outside its table
        unless `checked`."""
        inputs = self.look_up(inputs)
        if not checked:
            self.check(inputs)
        return self._lookup(inputs)

    def parts(self, inputs: Inputs, *, checked: bool = False) -> tuple[list[Tensor], dict[int, Tensor]]:
        """Of tables with `bags`: per feature its mean [B, D], or the vectors of its ids [B, L, D] with their mask
        [B, L]. Raises DataError as a call does."""
        places = self._places()
        inputs = self.look_up(inputs)
        if not checked:
            self.check(inputs)
        return places.split(self._lookup(places.expand(inputs))), places.masks(inputs)

    def _lookup(self, inputs: Inputs) -> Tensor:
        pooled = self.kernel.lookup(inputs.indices, inputs.offsets, inputs.rows)
        return pooled.view(inputs.rows, len(self.kernel_tables), self.dim)

    def _places(self) -> Places:
        assert self.places is not None  # noqa: S101  for the type checker: only models with `bags` ask for parts
        return self.places

    @property
    def kernel_tables(self) -> tuple[int, ...]:
        """Place of the table that each bag of the kernel reads, one table's bags side by side."""
        return self.places.kernel_tables if self.places is not None else tuple(range(len(self.names)))

    @property
    def features(self) -> tuple[str, ...]:
        """The sparse features in the order of a batch."""
        return self.places.features if self.places is not None else self.names

    def table_of(self, feature: int) -> int:
        """Place of the table that a sparse feature reads."""
        return self.places.table_of[feature] if self.places is not None else feature

    def manage(self, features: Sequence[Feature], seed: int) -> None:
        """Gives the managed ones of the model's `features` their ids. Sparse inputs begin with these features' own."""
        sparse = [feature for feature in features if feature.sparse]
        if any(feature.managed for feature in sparse):
            self.managed = ManagedIds(sparse, self.dim, seed, INITIAL_SPREAD)

    def look_up(self, inputs: Inputs) -> Inputs:
        """The batch as the kernel reads it: rows for the ids of managed features; unknown ids are left out."""
        if self.managed is None or inputs.mapped:
            return inputs
        return self.managed.look_up(inputs, len(self.features))

    def admit(self, inputs: Inputs) -> Inputs:
        """As `look_up`, for training: new ids get rows, and rows that change hands start anew, Adagrad state too."""
        if self.managed is None or inputs.mapped:
            return inputs
        mapped, renewals = self.managed.admit(inputs, len(self.features))
        for place, rows, start in renewals:
            table = self.table_of(place)
            self.kernel.weights[table][rows] = start
            self.kernel.states[table][rows] = 0.0
        return mapped

    def check(self, inputs: Inputs) -> None:
        """Refuses row numbers outside their tables and offsets that do not fit. Raises DataError."""
        fields, rows = len(self.features), inputs.rows
        if len(inputs.offsets) != fields * rows + 1 or int(inputs.offsets[-1]) != len(inputs.indices):
            raise DataError("data.offsets", "A batch's offsets do not match its rows and features.", "Report a defect.")
        starts = inputs.offsets[::rows].tolist() if rows else [0] * (fields + 1)
        for feature, (name, low, high) in enumerate(zip(self.features, starts[:-1], starts[1:], strict=True)):
            size, part = self.rows[self.table_of(feature)], inputs.indices[low:high]
            if len(part) and (int(part.min()) < 0 or int(part.max()) >= size):
                raise DataError(
                    "data.row_out_of_range",
                    f"Feature {name!r} has row numbers outside its table of {size} rows.",
                    "Hash the feature (hashed: true) or give it more buckets.",
                )
        for feature, places in enumerate(self.places.lengths if self.places is not None and rows else ()):
            longest = int(inputs.offsets[feature * rows : (feature + 1) * rows + 1].diff().max())
            if places and longest > places:
                raise DataError(
                    "data.sequence_too_long",
                    f"Feature {self.features[feature]!r} has {longest} ids in a row, the model reads {places}.",
                    "Cut the sequence, or raise the feature's max_length.",
                )

    def state(self) -> dict[str, Tensor]:
        """`<feature>.weight` and `<feature>.adagrad`: live views, not copies."""
        pairs = zip(self.names, self.kernel.weights, self.kernel.states, strict=True)
        return {key: value for name, w, s in pairs for key, value in ((f"{name}.weight", w), (f"{name}.adagrad", s))}


class _FusedKernel:
    """TorchRec's FusedEmbeddingBagCollection.

    On CPU its FBGEMM operators are called directly: bit-equal to the collection's forward, which spends 0.6 ms
    per batch on KeyedJaggedTensor book-keeping, more than the whole dense part of a small model.
    """

    def __init__(self, rows: dict[str, int], dim: int, learning_rate: float, tables: tuple[int, ...]) -> None:
        # Imported here: TorchRec costs 1.8 s, and the plain back end must work without it.
        from torchrec import EmbeddingBagConfig
        from torchrec.modules.embedding_configs import PoolingType
        from torchrec.modules.fused_embedding_modules import FusedEmbeddingBagCollection
        from torchrec.optim.rowwise_adagrad import RowWiseAdagrad

        configs = [
            EmbeddingBagConfig(
                name=name,
                embedding_dim=dim,
                num_embeddings=size,
                feature_names=bag_names(name, tables.count(place)),
                pooling=PoolingType.MEAN,
            )
            for place, (name, size) in enumerate(rows.items())
        ]
        self.collection = FusedEmbeddingBagCollection(
            tables=configs,
            optimizer_type=RowWiseAdagrad,
            optimizer_kwargs={"lr": learning_rate, "eps": EPS},
            device=torch.device("cpu"),
        )
        # One dimension and one pooling make one fused module; its tables stand in the order of the configs.
        (lookups,) = self.collection._emb_modules
        self._tbe: Any = lookups._emb_module
        self.weights = [weight.detach() for weight in self._tbe.split_embedding_weights()]
        self.states = [state[0].detach() for state in self._tbe.split_optimizer_states()]
        tbe, pooling = self._tbe, int(self._tbe.pooling_mode)
        # After the bags: pooling, no weights per id, float32 output.
        self._placement = (tbe.weights_host, tbe.weights_offsets, tbe.D_offsets, tbe.total_D, tbe.hash_size_cumsum)
        self._pooled = (pooling, None, 0)
        self._update = (
            tbe.weights_host,
            tbe.weights_placements,
            tbe.weights_offsets,
            tbe.D_offsets,
            tbe.max_D,
            tbe.hash_size_cumsum,
            tbe.total_hash_size_bits,
        )
        # Pooling, no weights per id, no stochastic rounding; state; rate and ε; weight decay, its mode and max_norm
        # (all three ignored on CPU); float32 output.
        state = (tbe.momentum1_host, tbe.momentum1_placements, tbe.momentum1_offsets)
        self._rule = (pooling, None, False, *state, torch.tensor(learning_rate), EPS, 0.0, 0, 0.0, 0)
        self._anchor = torch.zeros((), requires_grad=True)
        self._forward = torch.ops.fbgemm.split_embedding_codegen_forward_cpu.default
        self._backward = torch.ops.fbgemm.split_embedding_backward_codegen_rowwise_adagrad_cpu.default

    def lookup(self, indices: Tensor, offsets: Tensor, rows: int) -> Tensor:
        pooled: Tensor = _FusedLookup.apply(self._anchor, self, indices, offsets)  # type: ignore[no-untyped-call]
        return pooled

    def pool(self, indices: Tensor, offsets: Tensor) -> Tensor:
        """Pooled rows [B, F·D]."""
        pooled: Tensor = self._forward(*self._placement, indices, offsets, *self._pooled)
        return pooled

    def update(self, grad: Tensor, indices: Tensor, offsets: Tensor) -> None:
        """The row-wise Adagrad step. On one thread whatever the others use: FBGEMM's CPU wheel is built without
        OpenMP, and asked to share its work among threads it does more of it, one part after the other: up to three
        times the time, for the same bits."""
        threads = torch.get_num_threads()
        if threads == 1:
            self._backward(grad.contiguous(), *self._update, indices, offsets, *self._rule)
            return
        torch.set_num_threads(1)
        try:
            self._backward(grad.contiguous(), *self._update, indices, offsets, *self._rule)
        finally:
            torch.set_num_threads(threads)


class _FusedLookup(torch.autograd.Function):
    """FBGEMM's forward and backward operators, called one by one: its own pair of them takes twice the time."""

    @staticmethod
    def forward(ctx: Any, anchor: Tensor, kernel: _FusedKernel, indices: Tensor, offsets: Tensor) -> Tensor:
        ctx.kernel, ctx.bags = kernel, (indices, offsets)
        return kernel.pool(indices, offsets)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, None, None, None]:
        ctx.kernel.update(grads[0], *ctx.bags)
        return None, None, None, None


def bag_names(table: str, bags: int) -> list[str]:
    """Names of a table's bags for TorchRec, which tells features apart by name."""
    return [table] if bags == 1 else [f"{table}.{bag}" for bag in range(bags)]


class _PlainKernel:
    """One table with every table's rows after another's, `embedding_bag`, and row-wise Adagrad written out."""

    def __init__(self, rows: dict[str, int], dim: int, learning_rate: float, tables: tuple[int, ...]) -> None:
        sizes = list(rows.values())
        self.table = torch.zeros(sum(sizes), dim)
        self.state = torch.zeros(sum(sizes))
        self.weights = list(torch.split(self.table, sizes))
        self.states = list(torch.split(self.state, sizes))
        self.learning_rate = learning_rate
        self.starts = torch.tensor([0, *sizes[:-1]]).cumsum(0)[list(tables)]
        self._anchor = torch.zeros((), requires_grad=True)

    def lookup(self, indices: Tensor, offsets: Tensor, rows: int) -> Tensor:
        pooled: Tensor = _PlainLookup.apply(self._anchor, self, indices, offsets, rows)  # type: ignore[no-untyped-call]
        return pooled


class _PlainLookup(torch.autograd.Function):
    """Forward: mean-pooled bags. Backward: the row-wise Adagrad step, as the fused kernel takes it."""

    @staticmethod
    def forward(ctx: Any, anchor: Tensor, kernel: _PlainKernel, indices: Tensor, offsets: Tensor, rows: int) -> Tensor:
        fields = len(kernel.starts)
        lengths = offsets.diff()
        bags = torch.repeat_interleave(torch.arange(fields * rows), lengths)
        flat = indices + kernel.starts[bags // rows]
        ctx.kernel, ctx.saved = kernel, (flat, bags, lengths, rows)
        pooled = F.embedding_bag(flat, kernel.table, offsets[:-1], mode="mean")
        return pooled.view(fields, rows, -1).transpose(0, 1).reshape(rows, -1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, None, None, None, None]:
        kernel, (flat, bags, lengths, rows) = ctx.kernel, ctx.saved
        fields, dim = len(kernel.starts), kernel.table.shape[1]
        grad_bags = grads[0].view(rows, fields, dim).transpose(0, 1).reshape(fields * rows, dim)
        grad_ids = grad_bags[bags] / lengths[bags].unsqueeze(1)
        unique, place = torch.unique(flat, return_inverse=True)
        grad_rows = torch.zeros(len(unique), dim).index_add_(0, place, grad_ids)
        state = kernel.state[unique] + grad_rows.pow(2).mean(1)
        kernel.state[unique] = state
        kernel.table[unique] -= kernel.learning_rate * grad_rows / (state.sqrt() + EPS).unsqueeze(1)
        return None, None, None, None, None
