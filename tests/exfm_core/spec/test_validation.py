"""Every spec refuses what cannot be built, with a code and a mend."""

import subprocess
import sys
from collections.abc import Callable

import pytest

from exfm_core.spec import (
    Attention,
    Feature,
    FoundationModel,
    Optimizer,
    SpecError,
    StreamSchema,
    Supervision,
    Task,
    VerticalModel,
)

from .test_round_trip import schema

CLICK = Task("click", "click", "clicked")
PAIRS = StreamSchema(
    (Feature("a", "sequence", 10, max_length=3), Feature("b", buckets=10), Feature("c", buckets=11)), (CLICK,)
)
"""A sequence, a target that may share its table, and one that may not."""


def din(*pairs: Attention) -> VerticalModel:
    return VerticalModel(("a", "b", "c"), ("click",), "din", attention=pairs)


def catalogue(*changed: Feature) -> FoundationModel:
    """A catalogue that fits the test stream but for ``changed`` features."""
    features = {feature.name: feature for feature in schema().features} | {f.name: f for f in changed}
    return FoundationModel(tuple(features.values()))


def sequences(stream_length: int) -> StreamSchema:
    recent = Feature("recent", "sequence", 10, hashed=False, max_length=stream_length, catalogue="recent")
    return StreamSchema((recent,), (CLICK,))


@pytest.mark.parametrize(
    ("build", "code"),
    [
        (lambda: Feature("Item", buckets=3), "spec.bad_name"),
        (lambda: Feature("item"), "spec.out_of_range"),
        (lambda: Feature("item", kind="sequence", buckets=3), "spec.out_of_range"),
        (lambda: Feature("age", kind="dense", buckets=3), "spec.out_of_range"),
        (lambda: Feature("age", kind="text"), "spec.not_a_choice"),  # type: ignore[arg-type]
        (lambda: Feature("true_probability", kind="dense"), "spec.reserved_name"),
        (lambda: Feature("item", buckets=3, privileged=True), "spec.privileged_private"),
        (lambda: StreamSchema((), (CLICK,)), "spec.no_features"),
        (lambda: StreamSchema((Feature("a", buckets=2),), ()), "spec.no_tasks"),
        (lambda: StreamSchema((Feature("a", buckets=2), Feature("a", buckets=2)), (CLICK,)), "spec.duplicate"),
        (lambda: StreamSchema(tuple(Feature(f"a{i}", buckets=2) for i in range(60_000)), (CLICK,)), "spec.too_many"),
        (lambda: VerticalModel(tuple(f"a{i}" for i in range(60_000)), ("click",)), "spec.too_many"),
        (lambda: StreamSchema((Feature("clicked", buckets=2),), (CLICK,)), "spec.label_is_feature"),
        (lambda: StreamSchema((Feature("a", buckets=2),), (Task("t", "click", "user_id"),)), "spec.column_clash"),
        (lambda: StreamSchema((Feature("user_id", kind="dense"),), (CLICK,)), "spec.user_key_kind"),
        (lambda: VerticalModel(("a",), ("t",), embedding_dim=6), "spec.bad_dimension"),
        (lambda: VerticalModel(("a",), ("t",), mlp=()), "spec.bad_mlp"),
        (lambda: VerticalModel(("a",), ("t",), cross_layers=0), "spec.out_of_range"),
        (lambda: VerticalModel(("a", "a"), ("t",)), "spec.duplicate"),
        (lambda: VerticalModel((), ("t",)), "spec.no_features"),
        (lambda: VerticalModel(("a",), ("t",)).resolve(schema()), "spec.unknown_task"),
        (lambda: VerticalModel(("a",), ("click",)).resolve(schema()), "spec.unknown_feature"),
        (lambda: VerticalModel(("item_id", "secret"), ("click",)).resolve(schema()), "spec.privileged_feature"),
        (lambda: VerticalModel(("age",), ("click",)).resolve(schema()), "spec.no_sparse_feature"),
        (lambda: VerticalModel(("item_id",), ("click",), "dlrm").resolve(schema()), "spec.nothing_to_cross"),
        (lambda: FoundationModel((Feature("age", kind="dense"),)), "spec.no_sparse_feature"),
        (lambda: FoundationModel((Feature("other", buckets=2),)).bind(schema()), "spec.unknown_catalogue_name"),
        (
            lambda: FoundationModel((*schema().features[:1], Feature("age", buckets=2), schema().features[3])).bind(
                schema()
            ),
            "spec.catalogue_kind",
        ),
        (lambda: catalogue(Feature("item_id", buckets=1000, hashed=False)).bind(schema()), "spec.catalogue_range"),
        (lambda: FoundationModel(schema().features, ("love",)).bind(schema()), "spec.no_head"),
        (lambda: Feature("item", buckets=3, managed=True), "spec.managed"),
        (lambda: Feature("age", kind="dense", managed=True), "spec.managed"),
        (lambda: VerticalModel(("a",), ()), "spec.no_tasks"),
        (lambda: VerticalModel(("a",), "click"), "spec.no_tasks"),  # type: ignore[arg-type]
        (lambda: VerticalModel(("a",), ("t", "t")), "spec.duplicate"),
        (lambda: VerticalModel(("a",), ("click", "t")).resolve(schema()), "spec.unknown_task"),
        (lambda: VerticalModel(("a",), ("t",), "wukong"), "spec.not_a_choice"),  # type: ignore[arg-type]
        (lambda: VerticalModel(("a",), ("t",), "mmoe", experts=0), "spec.out_of_range"),
        (lambda: VerticalModel(("a",), ("t",), "din"), "spec.attention"),
        (lambda: VerticalModel(("a", "b"), ("t",), attention=(Attention("a", "b"),)), "spec.attention"),
        (lambda: VerticalModel(("a",), ("t",), "din", attention=(Attention("a", "b"),)), "spec.attention"),
        (lambda: din(Attention("a", "b"), Attention("a", "c")), "spec.duplicate"),
        (lambda: din(Attention("a", "b"), Attention("b", "c")).resolve(PAIRS), "spec.attention"),
        (lambda: din(Attention("a", "c")).resolve(PAIRS), "spec.attention"),
        (lambda: FoundationModel(schema().features, backbone="mmoe"), "spec.not_a_choice"),  # type: ignore[arg-type]
        (lambda: FoundationModel(schema().features, layers=0), "spec.out_of_range"),
        (lambda: FoundationModel(schema().features, sequence_encoder="max"), "spec.not_a_choice"),  # type: ignore[arg-type]
        (lambda: FoundationModel(schema().features, embedding_dim=6), "spec.bad_dimension"),
        (lambda: Optimizer(batch_size=0), "spec.out_of_range"),
        (lambda: Optimizer(dense_lr=float("nan")), "spec.out_of_range"),
        (lambda: Supervision("custom", beta=4.0), "spec.pull_too_strong"),
        (lambda: Supervision("custom", w_sa=2.0, beta_sa=2.0), "spec.pull_too_strong"),
        (lambda: Supervision("safe", w_kd=1.0), "spec.preset_conflict"),
    ],
)
def test_refused(build: Callable[[], object], code: str) -> None:
    with pytest.raises(SpecError) as caught:
        build()
    assert caught.value.code == code
    assert caught.value.message and caught.value.mend


def test_unhashed_catalogue_tables_take_only_ids_that_fit() -> None:
    model = FoundationModel((Feature("recent", "sequence", 10, hashed=False, max_length=3),))
    assert model.bind(sequences(3))["recent"].max_length == 3
    with pytest.raises(SpecError, match="holds up to 4 ids"):
        model.bind(sequences(4))


def test_presets_fix_the_loss_weights() -> None:
    none, safe, strong = Supervision("none"), Supervision("safe"), Supervision("strong")
    assert not none.uses_teacher and safe.uses_teacher and strong.uses_teacher
    assert (safe.w, safe.w_sa, safe.w_kd) == (1.0, 1.0, 0.0)
    assert (strong.w, strong.w_sa, strong.w_kd) == (1.0, 0.0, 1.0)
    assert strong.same_task_only and not safe.same_task_only


def test_binding_leaves_out_what_the_stream_lacks() -> None:
    features = (*schema().features, Feature("hour", buckets=24))
    bound = FoundationModel(features).bind(schema())
    assert set(bound) == {"item_id", "age", "secret"}
    assert bound["item_id"].name == "item_id"


def test_columns_are_listed_once() -> None:
    assert schema().columns == ("event_time", "user_id", "item_id", "recent", "age", "secret", "clicked")


def test_spec_needs_neither_torch_nor_numpy() -> None:
    code = "import sys, exfm_core.spec; print({'torch', 'numpy', 'pyarrow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_attention_pairs_that_can_share_a_table_are_taken() -> None:
    assert [feature.name for feature in din(Attention("a", "b")).resolve(PAIRS)] == ["a", "b", "c"]


def test_a_managed_feature_takes_any_id_but_no_managed_id_fits_a_bounded_table() -> None:
    managed = Feature("item_id", buckets=50, hashed=False, managed=True, catalogue="item_id")
    assert not managed.bounded and Feature("a", buckets=3, hashed=False).bounded
    assert catalogue(Feature("item_id", buckets=50, hashed=False, managed=True)).bind(schema())
    stream = StreamSchema((managed,), (CLICK,))
    with pytest.raises(SpecError, match="may hold any id"):
        FoundationModel((Feature("item_id", buckets=50, hashed=False),)).bind(stream)


def test_weights_of_the_single_head_baseline_are_its_own() -> None:
    assert Supervision("custom", w=0.0, w_single=1.0).uses_teacher
    with pytest.raises(SpecError, match="preset 'safe' fixes it"):
        Supervision("safe", w_single=1.0)


def test_the_import_loads_nothing_but_the_standard_library() -> None:
    """The platform and the client read specs in processes that start often."""
    code = "import sys; before = set(sys.modules); import exfm_core.spec; print(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert loaded - set(sys.stdlib_module_names) == {"exfm_core"}
