"""Exact cost of a model per row: what quotas are checked against at registration. Torch-free.

Of a vertical model only what serves counts: tables, attention, backbone and all serving heads. Auxiliary heads and
adapters are never exported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from exfm_core.cost.backbones import backbone_cost
from exfm_core.cost.shapes import Work, head, mean, query_attention, target_attention
from exfm_core.spec import Feature, FoundationModel, FoundationSpec, StreamSchema, VerticalModel, VerticalSpec

BYTES_PER_PARAMETER = 4
FOUNDATION_HEAD_WIDTH = 16


@dataclass(frozen=True, slots=True)
class ModelCost:
    """A model in figures; operations are per row, sequences at their full length."""

    table_rows: int
    table_parameters: int
    dense_parameters: int
    matrix_flops: int
    elementwise_flops: int

    @property
    def parameters(self) -> int:
        """Parameters of tables and dense layers."""
        return self.table_parameters + self.dense_parameters

    @property
    def flops(self) -> int:
        """Operations per row."""
        return self.matrix_flops + self.elementwise_flops

    @property
    def bytes(self) -> int:
        """Size of the weights in 32-bit floats."""
        return self.parameters * BYTES_PER_PARAMETER


def serving_cost(spec: VerticalSpec, schema: StreamSchema) -> ModelCost:
    """Cost of serving ``spec`` on rows of ``schema``; SpecError if they do not fit together."""
    model, features = spec.model, spec.model.resolve(schema)
    sparse = [feature for feature in features if feature.sparse]
    backbone = backbone_cost(model, len(sparse), len(features) - len(sparse))
    heads = head(backbone.width, model.head_width).times(len(model.tasks))
    sequences = [_vertical_sequence(feature, model) for feature in sparse if feature.kind == "sequence"]
    work = sum(sequences, start=backbone.work + heads)
    sharing = {pair.sequence for pair in model.attention}
    rows = sum(feature.buckets for feature in sparse if feature.name not in sharing)
    return _cost(rows, model.embedding_dim, work)


def serving_parameters(spec: VerticalSpec, schema: StreamSchema) -> int:
    """Parameters of the served model, tables included."""
    return serving_cost(spec, schema).parameters


def serving_flops(spec: VerticalSpec, schema: StreamSchema) -> int:
    """Operations to serve one row."""
    return serving_cost(spec, schema).flops


def foundation_cost(spec: FoundationSpec) -> ModelCost:
    """Cost of scoring a row: tables (a row per tenant slot among them), backbone, all heads, tenant biases."""
    model = spec.model
    sparse = [feature for feature in model.features if feature.sparse]
    backbone = backbone_cost(model, len(sparse) + 1, len(model.features) - len(sparse))
    kinds = len(model.task_kinds)
    heads = head(backbone.width, FOUNDATION_HEAD_WIDTH).times(kinds)
    biases = Work(parameters=model.tenant_slots * kinds, elementwise=2 * kinds)
    work = sum(_foundation_sequences(sparse, model), start=backbone.work + heads + biases)
    return _cost(sum(feature.buckets for feature in sparse) + model.tenant_slots, model.embedding_dim, work)


def foundation_parameters(spec: FoundationSpec) -> int:
    """Parameters of a foundation model, tables included."""
    return foundation_cost(spec).parameters


def foundation_flops(spec: FoundationSpec) -> int:
    """Operations to score one row."""
    return foundation_cost(spec).flops


def _vertical_sequence(feature: Feature, model: VerticalModel) -> Work:
    for pair in model.attention:
        if pair.sequence == feature.name:
            return target_attention(feature.max_length, model.embedding_dim, pair.width)
    return mean(feature.max_length, model.embedding_dim)


def _foundation_sequences(sparse: Sequence[Feature], model: FoundationModel) -> list[Work]:
    encode = query_attention if model.sequence_encoder == "attention" else mean
    return [encode(feature.max_length, model.embedding_dim) for feature in sparse if feature.kind == "sequence"]


def _cost(rows: int, dim: int, work: Work) -> ModelCost:
    return ModelCost(rows, rows * dim, work.parameters, work.matrix, work.elementwise)
