"""What one training step of a vertical model holds in memory, estimated before anything is built. Torch-free."""

from __future__ import annotations

from exfm_core.spec import Feature, StreamSchema, VerticalModel, VerticalSpec

FLOAT_BYTES = 4
ARMS = 2
VALUE_AND_GRADIENT = 2
FLOATS_PER_ID = 4


def batch_bytes(spec: VerticalSpec, schema: StreamSchema) -> int:
    """Bytes of activations, their gradients and ids of one batch, for both arms; sequences at their full length.

    An estimate of the order of magnitude, for refusing what no machine holds: a spec may be small to serve and still
    ask for hundreds of gigabytes per batch. SpecError if spec and schema do not fit together.
    """
    model, features = spec.model, spec.model.resolve(schema)
    sparse = [feature for feature in features if feature.sparse]
    inputs = len(sparse) * model.embedding_dim + len(features) - len(sparse)
    heads = model.head_width + spec.supervision.aux_width + spec.supervision.adapter_width
    floats = 2 * inputs + _crossed(model, sparse, inputs) + 2 * heads * len(model.tasks)
    ids = sum(max(1, feature.max_length) for feature in sparse)
    per_row = floats * VALUE_AND_GRADIENT * ARMS + ids * FLOATS_PER_ID
    return spec.optimizer.batch_size * per_row * FLOAT_BYTES


def _crossed(model: VerticalModel, sparse: list[Feature], inputs: int) -> int:
    """Floats per row between the vectors and the heads."""
    layers = 2 * sum(model.mlp)
    if model.backbone == "dcnv2":
        return 3 * inputs * model.cross_layers + layers
    if model.backbone == "dlrm":
        return 2 * (len(sparse) + 1) ** 2 + layers
    if model.backbone == "mmoe":
        return inputs + model.experts * (layers + model.mlp[-1]) + len(model.tasks) * (model.experts + model.mlp[-1])
    lengths = {feature.name: feature.max_length for feature in sparse}
    unit = [lengths[pair.sequence] * (9 * model.embedding_dim + 2 * pair.width) for pair in model.attention]
    return inputs + layers + sum(unit)
