"""Models and what they cost as JSON, ready for the renderer: what their serializers describe.

What a commit alone changes is most of a card: its JSON is made once and stays with the figures that a process keeps.
"""

from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from api.base.rendering import JSONRenderer
from api.base.representation import representation_of
from exfm_core.spec import Feature
from insights.selectors.cards import Card
from insights.selectors.costs import ModelTotal
from insights.selectors.curve import Curve
from insights.selectors.detail import Detail
from insights.selectors.figures import Figures
from insights.selectors.foundation import Foundation
from insights.serializers import (
    CatalogueFeatureSerializer,
    CurveSerializer,
    FiguresSerializer,
    FoundationSerializer,
    ServingSerializer,
    TeachingSerializer,
)

Json = dict[str, Any]

_LIFT, _COURSE = ("lift", "ne", "auc", "coverage"), ("freshness_seconds", "spark")


def card_json(card: Card) -> orjson.Fragment:
    """Return a model at a glance."""
    return orjson.Fragment(_card(card))


def _card(card: Card) -> str:
    """Return the card as JSON: as it was written for the same figures, unless the rest of it differs now."""
    beside, kept = (card.model, card.task, card.paid, card.fm_share), vars(card.figures)
    known: tuple[object, str] | None = kept.get("_card")
    if known is None or known[0] != beside:
        known = kept["_card"] = beside, _written(card)
    return known[1]


def _written(card: Card) -> str:
    model, kept, gained = card.model, _kept(card.figures), card.cost_per_point
    per_point = "null" if gained is None else f'"{gained:.6f}"'
    return (
        f'{{"id":"{model.id}","name":{_json(model.name)},"task":{_json(card.task)},"status":{_json(model.status)},'
        f'"stream":{{"id":"{model.stream_id}","name":{_json(model.stream_name)}}},'
        f'{kept.lift},"cost":"{card.cost:.6f}","measurement_cost":"{card.measurement_cost:.6f}",'
        f'"fm_share":"{card.fm_share:.6f}","cost_per_point":{per_point},'
        f'{kept.course},"updated_at":{kept.committed or _json(model.created_at)}}}'
    )


def detail_json(found: Detail) -> orjson.Fragment:
    """Return a model in full."""
    card, version, taught = found.card, found.version, found.card.teaching
    serving = {
        "parameters": version.serving_parameters,
        "flops": version.serving_flops,
        **vars(found.serving),
    }
    further = {
        "spec": version.written,
        "version": version.number,
        "foundation_model": found.teacher,
        "train_from": found.train_from,
        "serving": representation_of(ServingSerializer)(serving),
        "lineages": [row._asdict() for row in found.lineages],
        "supervision": representation_of(TeachingSerializer)(
            {
                "coverage": card.coverage,
                "freshness_seconds": taught.freshness_seconds,
                "clipped_share": taught.clipped_share,
                "snapshot": taught.snapshot_id,
                "gate": taught.gate,
            }
        ),
    }
    return orjson.Fragment(f"{_card(card)[:-1]},{JSONRenderer().render(further).decode()[1:]}")


def foundation_json(found: Foundation) -> Json:
    """Return the foundation model as a tenant sees it."""
    made = representation_of(FoundationSerializer)(replace(found, catalogue=()))
    return {**made, "catalogue": _catalogue(found.catalogue)}


@lru_cache(maxsize=64)
def _catalogue(features: tuple[Feature, ...]) -> orjson.Fragment:
    """Return the features of a version, which never change, as JSON."""
    return orjson.Fragment(orjson.dumps([representation_of(CatalogueFeatureSerializer)(each) for each in features]))


def cost_json(cost: ModelTotal) -> Json:
    """Return what one model has cost."""
    return {
        "id": cost.id,
        "name": cost.name,
        "training": _money(cost.training),
        "measurement": _money(cost.measurement),
        "fm_share": _money(cost.fm_share),
        "total": _money(cost.total),
    }


def curve_json(found: Curve) -> orjson.Fragment:
    """Return a model's course in event time."""
    kept = vars(found)
    if "_json" not in kept:
        kept["_json"] = orjson.Fragment(orjson.dumps(representation_of(CurveSerializer)(found)))
    return kept["_json"]  # type: ignore[no-any-return]


class Kept(NamedTuple):
    """What of a card stays with its figures, as JSON: from lift to coverage, freshness and spark, the last commit."""

    lift: str
    course: str
    committed: str | None


def _kept(held: Figures) -> Kept:
    kept = vars(held)
    if "_json" not in kept:
        made = representation_of(FiguresSerializer)(held)
        lift, course = ({name: made[name] for name in names} for names in (_LIFT, _COURSE))
        kept["_json"] = Kept(_json(lift)[1:-1], _json(course)[1:-1], _json(held.committed) if held.committed else None)
    return kept["_json"]  # type: ignore[no-any-return]


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_UTC_Z).decode()


def _money(amount: Decimal) -> str:
    return f"{amount:.6f}"
