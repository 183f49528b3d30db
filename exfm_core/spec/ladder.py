"""Foundation models by size: one family of stacked blocks in which each size costs about four times the one before."""

from __future__ import annotations

from bisect import bisect_right
from typing import Literal, get_args

from exfm_core.spec.features import Feature
from exfm_core.spec.foundation import FoundationModel, FoundationSpec, SequenceEncoder
from exfm_core.spec.record import check_choice

Size = Literal["xs", "s", "m", "l", "xl"]
SIZES: tuple[Size, ...] = get_args(Size)
STEP = 4
"""Operations per row grow by this from size to size."""

_DIM_AND_LAYERS = {"xs": (8, 1), "s": (16, 2), "m": (16, 4), "l": (32, 4), "xl": (64, 6)}
_SMALLEST, _UNIT, _WIDEST = 32, 4, 8192
"""Hidden width of the smallest size; widths are multiples of the unit."""


def ladder(
    size: Size,
    features: tuple[Feature, ...],
    task_kinds: tuple[str, ...] = ("click",),
    *,
    tenant_slots: int = 64,
    sequence_encoder: SequenceEncoder = "mean",
) -> FoundationModel:
    """Return the wukong model of a size over these features.

    Dimension and depth come from a table; the hidden width is then the multiple of 4 whose exact operations per row are
    nearest to 4 to the power of the size's place times those of xs. Raises SpecError for an unknown size.
    """
    check_choice(size, SIZES, "size")

    def built(of: Size, width: int) -> FoundationModel:
        dim, layers = _DIM_AND_LAYERS[of]
        return FoundationModel(
            features,
            task_kinds,
            backbone="wukong",
            embedding_dim=dim,
            mlp=(width, width // 2),
            layers=layers,
            tenant_slots=tenant_slots,
            sequence_encoder=sequence_encoder,
        )

    wanted = _flops(built("xs", _SMALLEST)) * STEP ** SIZES.index(size)
    widths = range(_SMALLEST, _WIDEST + 1, _UNIT)
    above = bisect_right(widths, wanted, key=lambda width: _flops(built(size, width)))
    near = [widths[place] for place in (above - 1, above) if 0 <= place < len(widths)]
    return built(size, min(near, key=lambda width: abs(_flops(built(size, width)) - wanted)))


def _flops(model: FoundationModel) -> int:
    from exfm_core.cost import foundation_flops  # imported here: costs are computed from specs

    return foundation_flops(FoundationSpec(model))
