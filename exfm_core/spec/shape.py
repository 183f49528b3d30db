"""What the shapes of both kinds of model share: version, backbones, widths."""

from __future__ import annotations

from typing import Final, Literal

from exfm_core.errors import SpecError
from exfm_core.spec.record import check_choice, check_int

SCHEMA_VERSION: Final = 2
VerticalBackbone = Literal["dcnv2", "dlrm", "deepfm", "mmoe", "din"]
FoundationBackbone = Literal["dcnv2", "dlrm", "deepfm", "wukong"]
BACKBONES: tuple[VerticalBackbone, ...] = ("dcnv2", "dlrm", "deepfm", "mmoe", "din")
"""Of vertical models."""
FOUNDATION_BACKBONES: tuple[FoundationBackbone, ...] = ("dcnv2", "dlrm", "deepfm", "wukong")
DIMENSION_STEP = 4
"""Embedding rows are a whole number of 128-bit lanes in FBGEMM's kernels."""


def check_shape(
    path: str, backbone: str, choices: tuple[str, ...], embedding_dim: int, mlp: tuple[int, ...], cross_layers: int
) -> None:
    """Refuse a backbone, dimension or width that cannot be built. Raises SpecError."""
    check_choice(backbone, choices, f"{path}.backbone")
    if embedding_dim % DIMENSION_STEP:
        raise SpecError(
            "spec.bad_dimension",
            f"{path}.embedding_dim is {embedding_dim}.",
            f"The kernels need a multiple of {DIMENSION_STEP}.",
        )
    if not isinstance(mlp, tuple) or not 1 <= len(mlp) <= 8:
        raise SpecError("spec.bad_mlp", f"{path}.mlp is {mlp!r}.", "Give one to eight hidden widths.")
    for i, width in enumerate(mlp):
        check_int(width, f"{path}.mlp[{i}]", 1, 8192)
    if backbone == "dcnv2" and not cross_layers:
        check_int(cross_layers, f"{path}.cross_layers", 1, 8)


def check_version(path: str, version: int) -> None:
    """Refuse a record of another version than this release builds. Raises SpecError."""
    if isinstance(version, bool) or version != SCHEMA_VERSION:
        raise SpecError(
            "spec.schema_version", f"{path}.schema_version is {version!r}.", f"This release builds {SCHEMA_VERSION}."
        )
