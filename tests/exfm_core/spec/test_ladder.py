"""The sizes of the foundation model: exact operations, four times from step to step, whatever the features."""

from itertools import pairwise

import pytest

from exfm_core.cost import foundation_flops
from exfm_core.spec import SIZES, Feature, FoundationModel, FoundationSpec, SpecError, ladder


def features(categorical: int, sequences: int = 0, dense: int = 0) -> tuple[Feature, ...]:
    return (
        *(Feature(f"c{i}", buckets=1000) for i in range(categorical)),
        *(Feature(f"s{i}", "sequence", 1000, max_length=20) for i in range(sequences)),
        *(Feature(f"d{i}", "dense") for i in range(dense)),
    )


@pytest.mark.parametrize(
    "catalogue", [features(1), features(3, 1, 2), features(10, 2, 4), features(30, 3), features(120, 0, 13)]
)
@pytest.mark.parametrize("encoder", ["mean", "attention"])
def test_each_size_costs_four_times_the_one_before(catalogue: tuple[Feature, ...], encoder: str) -> None:
    kinds = ("click", "conversion")
    models = [ladder(size, catalogue, kinds, sequence_encoder=encoder) for size in SIZES]  # type: ignore[arg-type]
    flops = [foundation_flops(FoundationSpec(model)) for model in models]
    for smaller, larger in pairwise(flops):
        assert 3.8 < larger / smaller < 4.2, flops
    assert all(a.embedding_dim <= b.embedding_dim and a.mlp <= b.mlp for a, b in pairwise(models))


def test_it_is_a_spec_like_any_other() -> None:
    model = ladder("m", features(4, 1), ("click",), tenant_slots=9)
    assert (model.backbone, model.tenant_slots, model.layers) == ("wukong", 9, 4)
    assert FoundationModel.from_json(model.to_json()) == model
    with pytest.raises(SpecError, match="'xxl'"):
        ladder("xxl", features(1))  # type: ignore[arg-type]
