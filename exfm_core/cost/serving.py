"""Exact serving cost of a vertical model: what quotas are checked against at registration. Torch-free.

Only what serves counts: tables, backbone and serving head. Auxiliary heads and adapter are never exported.
"""

from __future__ import annotations

from dataclasses import dataclass

from exfm_core.cost.shapes import Work, backbone_cost, head
from exfm_core.spec import Feature, FoundationSpec, StreamSchema, VerticalSpec

BYTES_PER_PARAMETER = 4
FOUNDATION_HEAD_WIDTH = 16


@dataclass(frozen=True, slots=True)
class ServingCost:
    """A served model in figures; operations are per row, sequences at their full length."""

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


def serving_cost(spec: VerticalSpec, schema: StreamSchema) -> ServingCost:
    """Cost of serving ``spec`` on rows of ``schema``; SpecError if they do not fit together."""
    model, features = spec.model, spec.model.resolve(schema)
    sparse = [feature for feature in features if feature.sparse]
    backbone = backbone_cost(
        model.backbone,
        fields=len(sparse),
        dim=model.embedding_dim,
        dense=len(features) - len(sparse),
        widths=model.mlp,
        cross_layers=model.cross_layers,
    )
    work = backbone.work + head(backbone.width, model.head_width) + _pooling(sparse, model.embedding_dim)
    rows = sum(feature.buckets for feature in sparse)
    return ServingCost(rows, rows * model.embedding_dim, work.parameters, work.matrix, work.elementwise)


def serving_parameters(spec: VerticalSpec, schema: StreamSchema) -> int:
    """Parameters of the served model, tables included."""
    return serving_cost(spec, schema).parameters


def serving_flops(spec: VerticalSpec, schema: StreamSchema) -> int:
    """Operations to serve one row."""
    return serving_cost(spec, schema).flops


def foundation_parameters(spec: FoundationSpec) -> int:
    """Parameters of a foundation model: tables (a row per tenant slot among them), backbone, heads, tenant biases."""
    model = spec.model
    sparse = [feature for feature in model.features if feature.sparse]
    backbone = backbone_cost(
        model.backbone,
        fields=len(sparse) + 1,
        dim=model.embedding_dim,
        dense=len(model.features) - len(sparse),
        widths=model.mlp,
        cross_layers=model.cross_layers,
    )
    tables = (sum(feature.buckets for feature in sparse) + model.tenant_slots) * model.embedding_dim
    heads = len(model.task_kinds) * head(backbone.width, FOUNDATION_HEAD_WIDTH).parameters
    return tables + backbone.work.parameters + heads + model.tenant_slots * len(model.task_kinds)


def _pooling(sparse: list[Feature], dim: int) -> Work:
    """Mean of a sequence of L rows: (L − 1)·dim adds and dim scalings; one id needs neither."""
    return Work(elementwise=sum(feature.max_length * dim for feature in sparse if feature.kind == "sequence"))
