"""Embedding tables behind one small interface, with their optimiser inside the backward pass.

Row-wise Adagrad: per row r with summed gradient g_r, state_r += mean(g_r²), w_r −= lr · g_r / (√state_r + ε).
Back ends: `fused` (TorchRec over FBGEMM's kernels) and `plain` (torch alone), which is the fused one's oracle.
All bags are mean-pooled; an empty bag is a zero vector. Row numbers must lie inside their tables: FBGEMM's CPU kernel
would read whatever is there, so `Tables` checks them unless the caller promises it has (`checked=True`).
"""

from typing import Any, Final, Literal, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from exfm_core.errors import DataError
from exfm_core.models.inputs import Inputs

EPS: Final = 1e-8
INITIAL_SPREAD: Final = 0.01
Backend = Literal["fused", "plain"]


class Kernel(Protocol):
    """One back end. `weights` and `states` are views of the live tables, in feature order: [rows, D] and [rows]."""

    weights: list[Tensor]
    states: list[Tensor]

    def lookup(self, indices: Tensor, offsets: Tensor, rows: int) -> Tensor:
        """Pooled rows [B, F·D]; a backward pass through the result updates the tables."""
        ...


class Tables:
    """The embedding tables of one model: one per sparse feature, all of one dimension.

    Not an `nn.Module` on purpose: tables are no dense parameters, and no dense optimiser may find them.
    """

    def __init__(
        self,
        rows: dict[str, int],
        dim: int,
        learning_rate: float,
        generator: torch.Generator,
        backend: Backend = "fused",
    ) -> None:
        self.names = tuple(rows)
        self.rows = tuple(rows.values())
        self.dim = dim
        make = _FusedKernel if backend == "fused" else _PlainKernel
        self.kernel: Kernel = make(rows, dim, learning_rate)
        for weight in self.kernel.weights:
            weight.normal_(0.0, INITIAL_SPREAD, generator=generator)

    def __call__(self, inputs: Inputs, *, checked: bool = False) -> Tensor:
        """Pooled embeddings [B, F, D]. Raises DataError for a row number outside its table unless `checked`."""
        if not checked:
            self.check(inputs)
        pooled = self.kernel.lookup(inputs.indices, inputs.offsets, inputs.rows)
        return pooled.view(inputs.rows, len(self.names), self.dim)

    def check(self, inputs: Inputs) -> None:
        """Refuses row numbers outside their tables and offsets that do not fit. Raises DataError."""
        fields, rows = len(self.names), inputs.rows
        if len(inputs.offsets) != fields * rows + 1 or int(inputs.offsets[-1]) != len(inputs.indices):
            raise DataError("data.offsets", "A batch's offsets do not match its rows and features.", "Report a defect.")
        starts = inputs.offsets[::rows].tolist() if rows else [0] * (fields + 1)
        for name, size, low, high in zip(self.names, self.rows, starts[:-1], starts[1:], strict=True):
            part = inputs.indices[low:high]
            if len(part) and (int(part.min()) < 0 or int(part.max()) >= size):
                raise DataError(
                    "data.row_out_of_range",
                    f"Feature {name!r} has row numbers outside its table of {size} rows.",
                    "Hash the feature (hashed: true) or give it more buckets.",
                )

    def state(self) -> dict[str, Tensor]:
        """`<feature>.weight` and `<feature>.adagrad`: live views, not copies."""
        pairs = zip(self.names, self.kernel.weights, self.kernel.states, strict=True)
        return {key: value for name, w, s in pairs for key, value in ((f"{name}.weight", w), (f"{name}.adagrad", s))}


class _FusedKernel:
    """TorchRec's FusedEmbeddingBagCollection.

    On CPU its single FBGEMM operator is called directly: bit-equal to the collection's forward, which spends 0.6 ms
    per batch on KeyedJaggedTensor book-keeping, more than the whole dense part of a small model.
    """

    def __init__(self, rows: dict[str, int], dim: int, learning_rate: float) -> None:
        # Imported here: TorchRec costs 1.8 s, and the plain back end must work without it.
        from torchrec import EmbeddingBagConfig
        from torchrec.modules.embedding_configs import PoolingType
        from torchrec.modules.fused_embedding_modules import FusedEmbeddingBagCollection
        from torchrec.optim.rowwise_adagrad import RowWiseAdagrad

        configs = [
            EmbeddingBagConfig(
                name=name, embedding_dim=dim, num_embeddings=size, feature_names=[name], pooling=PoolingType.MEAN
            )
            for name, size in rows.items()
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
        self._operator = torch.ops.fbgemm.split_embedding_codegen_lookup_rowwise_adagrad_function_cpu.default
        self._placement = (
            self._tbe.weights_host,
            self._tbe.weights_placements,
            self._tbe.weights_offsets,
            self._tbe.D_offsets,
            self._tbe.total_D,
            self._tbe.max_D,
            self._tbe.hash_size_cumsum,
            self._tbe.total_hash_size_bits,
        )
        # indice_weights, feature_requires_grad, gradient_clipping, max_gradient, stochastic_rounding
        self._plain_options = (int(self._tbe.pooling_mode), None, None, False, 0.0, False)
        # eps, learning rate, weight decay and its mode (ignored on CPU), max_norm (ignored on CPU), float32 output
        self._optimiser = (
            self._tbe.momentum1_host,
            self._tbe.momentum1_placements,
            self._tbe.momentum1_offsets,
            EPS,
            learning_rate,
            0.0,
            0,
            0.0,
            0,
        )

    def lookup(self, indices: Tensor, offsets: Tensor, rows: int) -> Tensor:
        pooled: Tensor = self._operator(*self._placement, indices, offsets, *self._plain_options, *self._optimiser)
        return pooled


class _PlainKernel:
    """One offset table, `embedding_bag`, and row-wise Adagrad written out."""

    def __init__(self, rows: dict[str, int], dim: int, learning_rate: float) -> None:
        sizes = list(rows.values())
        self.table = torch.zeros(sum(sizes), dim)
        self.state = torch.zeros(sum(sizes))
        self.weights = list(torch.split(self.table, sizes))
        self.states = list(torch.split(self.state, sizes))
        self.learning_rate = learning_rate
        self._starts = torch.tensor([0, *sizes[:-1]]).cumsum(0)
        self._anchor = torch.zeros((), requires_grad=True)

    def lookup(self, indices: Tensor, offsets: Tensor, rows: int) -> Tensor:
        pooled: Tensor = _PlainLookup.apply(self._anchor, self, indices, offsets, rows)  # type: ignore[no-untyped-call]
        return pooled


class _PlainLookup(torch.autograd.Function):
    """Forward: mean-pooled bags. Backward: the row-wise Adagrad step, as the fused kernel takes it."""

    @staticmethod
    def forward(ctx: Any, anchor: Tensor, kernel: _PlainKernel, indices: Tensor, offsets: Tensor, rows: int) -> Tensor:
        fields = len(kernel.weights)
        lengths = offsets.diff()
        bags = torch.repeat_interleave(torch.arange(fields * rows), lengths)
        flat = indices + kernel._starts[bags // rows]
        ctx.kernel, ctx.saved = kernel, (flat, bags, lengths, rows)
        pooled = F.embedding_bag(flat, kernel.table, offsets[:-1], mode="mean")
        return pooled.view(fields, rows, -1).transpose(0, 1).reshape(rows, -1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, None, None, None, None]:
        kernel, (flat, bags, lengths, rows) = ctx.kernel, ctx.saved
        fields, dim = len(kernel.weights), kernel.table.shape[1]
        grad_bags = grads[0].view(rows, fields, dim).transpose(0, 1).reshape(fields * rows, dim)
        grad_ids = grad_bags[bags] / lengths[bags].unsqueeze(1)
        unique, place = torch.unique(flat, return_inverse=True)
        grad_rows = torch.zeros(len(unique), dim).index_add_(0, place, grad_ids)
        state = kernel.state[unique] + grad_rows.pow(2).mean(1)
        kernel.state[unique] = state
        kernel.table[unique] -= kernel.learning_rate * grad_rows / (state.sqrt() + EPS).unsqueeze(1)
        return None, None, None, None, None
