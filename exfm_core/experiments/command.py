"""``python -m exfm_core experiment NAME`` and ``recipe NAME``: run, print the page, and write it where asked."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from exfm_core.errors import ExfmError
from exfm_core.experiments.cache import Cache
from exfm_core.experiments.lab import BENCHES, Lab
from exfm_core.experiments.report import Report

_OF_RECIPE = {
    "targets": "targets:targets",
    "stream-size": "stream:stream_size",
    "harm": "harm:harm",
    "ablation": "ablation:ablation",
    "delay": "sweeps:delay",
    "teacher-size": "sweeps:size",
    "channel": "channel:channel",
    "codistillation": "joint:codistillation",
    "tenants": "cost:tenants",
}
EXPERIMENTS: dict[str, tuple[str, str]] = {
    **{f"{name}-{r}": (place, r) for name, place in _OF_RECIPE.items() for r in ("movielens-16", "globo")},
    "partition-length-globo": ("sweeps:partition_length", "globo"),
}
"""Name → module and function below this package, imported when asked for, and the recipe."""


def experiment_main(argv: Sequence[str]) -> int:
    """``python -m exfm_core experiment``."""
    return _main(argv, "experiment")


def recipe_main(argv: Sequence[str]) -> int:
    """``python -m exfm_core recipe``."""
    return _main(argv, "recipe")


def _main(argv: Sequence[str], command: str) -> int:
    """0 when the page was printed, 1 with a sentence when something failed."""
    options = arguments(argv, command)
    try:
        store = Cache(Path(options.cache))
        lab = Lab(store, tuple(range(options.seeds)), options.jobs)
        report = _experiment(lab, options) if command == "experiment" else _recipe(lab, options)
        if options.out:
            report.write(Path(options.out))
    except ExfmError as error:
        print(f"{options.name}: {error}", file=sys.stderr)
        return 1
    print(report.markdown())
    return 0


def arguments(argv: Sequence[str], command: str) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog=f"python -m exfm_core {command}", description=__doc__)
    known: Iterable[str] = EXPERIMENTS if command == "experiment" else BENCHES
    parser.add_argument("name", help=f"one of: {', '.join(sorted(known))}")
    parser.add_argument("--seeds", type=int, default=3, help="how many, from 0 on")
    parser.add_argument("--jobs", type=int, default=1, help="processes of one thread each")
    parser.add_argument("--cache", default="var/experiments", help="folder of what need not be done twice")
    parser.add_argument("--out", help="folder for the page, its data and pictures, such as docs/results")
    parser.add_argument("--models", default="", help="vertical models, with commas; default: all, or the sample")
    if command == "recipe":
        parser.add_argument("--arms", default="safe,strong", help="groups of arms, with commas")
        parser.add_argument("--world", type=int, default=0, help="seed of the data, where they are synthetic")
    options = parser.parse_args(list(argv))
    if options.seeds < 1 or options.jobs < 1:
        parser.error("--seeds and --jobs are at least 1")
    return options


def _experiment(lab: Lab, options: argparse.Namespace) -> Report:
    name = options.name
    if name not in EXPERIMENTS:
        raise ExfmError(
            "experiment.unknown",
            f"There is no experiment {name!r}.",
            f"Choose one of: {', '.join(sorted(EXPERIMENTS))}.",
        )
    place, recipe = EXPERIMENTS[name]
    lab.models = _models(options, recipe)
    module, function = place.split(":")
    report = getattr(importlib.import_module(f"exfm_core.experiments.{module}"), function)(lab, recipe)
    assert isinstance(report, Report)  # noqa: S101  for the type checker
    return report


def _recipe(lab: Lab, options: argparse.Namespace) -> Report:
    from exfm_core.experiments.targets import targets

    if options.name not in BENCHES:
        raise ExfmError(
            "recipe.unknown", f"There is no recipe {options.name!r}.", f"Choose one of: {', '.join(sorted(BENCHES))}."
        )
    return targets(
        lab, options.name, _models(options, options.name), tuple(filter(None, options.arms.split(","))), options.world
    )


def _models(options: argparse.Namespace, recipe: str) -> tuple[str, ...]:
    models = tuple(filter(None, options.models.split(",")))
    unknown = sorted(set(models) - set(BENCHES[recipe].models))
    if unknown:
        raise ExfmError(
            "recipe.model",
            f"Recipe {recipe!r} has no model {unknown[0]!r}.",
            f"Choose of: {', '.join(BENCHES[recipe].models)}.",
        )
    return models
