"""`make bench ARGS="training arms"`: the measurements of docs/performance.md, each against a peer in the same run.

Without names all of them run, about half an hour on four quiet cores. Results go to bench/results, data and FuxiCTR's
environment below var/bench.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

from bench import arms, figures, movielens, pipeline, quality, report, scoring, training, zipf
from bench.dataset import Dataset, load
from bench.fuxictr import environment
from bench.protocol import ROOT
from bench.shape import Shape
from bench.threaded import measure as threaded
from exfm_core.errors import DataError

DATA = ROOT / "var" / "bench" / "data"
TABLES, IDS, ROWS = 26, 100_000, 131_072
ADS = Shape(mlp=(256, 128, 64))
RATINGS = Shape(mlp=(128, 64), embedding_lr=0.1)
NAMES = ("training", "quality", "arms", "pipeline", "scoring", "threaded", "figures")


def kept(name: str, make: Callable[[Path], Dataset]) -> Dataset | None:
    """The data set, made at the first use; None, said once, where its raw files are missing."""
    folder = DATA / name
    try:
        return load(folder) if (folder / "dataset.json").exists() else make(folder)
    except DataError as error:
        print(f"{name} is left out: {error}")
        return None


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"which of {', '.join(NAMES)} (default: all)")
    parser.add_argument("--threads", type=int, nargs="+", default=[2], help="threads of every contender (default: 2)")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each contender (default: 5)")
    parser.add_argument("--pairs", type=int, default=24, help="turns of each arm (default: 24)")
    parser.add_argument("--seeds", type=int, default=3, help="seeds of the quality comparison (default: 3)")
    parser.add_argument("--results", type=Path, default=report.RESULTS, help="where the JSON files go")
    parser.add_argument("--without-fuxictr", action="store_true", help="do not install the peer if it is not there")
    options = parser.parse_args()
    names = options.names or NAMES
    if unknown := set(names) - set(NAMES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; choose from {', '.join(NAMES)}")
    if "figures" in names:
        figures.run(ROWS, options.rounds, options.results)
        if len(names) == 1:
            return
    if not options.without_fuxictr and {"training", "quality"} & set(names):
        environment.make()
    ads = kept("zipf", lambda folder: zipf.make(folder, TABLES, IDS, ROWS))
    ratings = kept("movielens", movielens.make)
    shapes: dict[str, tuple[Dataset, Shape]] = {}
    if ads is not None:
        shapes |= {"26 tables, DCN-V2": (ads, Shape(ADS.mlp, backbone="dcnv2")), "26 tables, DeepFM": (ads, ADS)}
    if ratings is not None:
        shapes["MovieLens, DeepFM"] = (ratings, RATINGS)
    deepfm = {name: (dataset, shape) for name, (dataset, shape) in shapes.items() if shape.backbone == "deepfm"}
    for threads in options.threads:
        if "training" in names:
            for dataset, shape in deepfm.values():
                training.run(dataset, shape, threads, options.rounds, options.results)
        if "threaded" in names:
            threaded.run(deepfm, threads, ROWS, options.rounds, options.results)
    threads = options.threads[0]
    if "quality" in names and ratings is not None:
        quality.run(ratings, RATINGS, threads, options.seeds, options.results)
    if "arms" in names:
        arms.run(shapes, 1, options.pairs, None, options.results)
    if "pipeline" in names:
        pipeline.run(shapes, threads, ROWS, options.rounds, options.results)
    if "scoring" in names:
        data = {name: dataset for name, dataset in (("26 tables", ads), ("MovieLens", ratings)) if dataset is not None}
        scoring.run(data, threads, ROWS, options.rounds, options.results)


if __name__ == "__main__":
    main()
