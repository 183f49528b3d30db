"""Speed of managed ids on one core: `python -m bench.idmap`.

A map whose rows are nearly all taken; every batch has ids of the living population, and a share of ids never seen, each
of which takes the row of the one absent longest.
"""

import time

import numpy as np

from exfm_core.data.idmap import IdMap

IDS = 400_000


def speed(capacity: int, batch: int, new: float) -> float:
    """Ids a second, in processor time, where a share `new` of the ids was never seen before."""
    rng, known, living = np.random.default_rng(0), IdMap(capacity), int(0.9 * capacity)
    for first in range(0, living, 65_536):
        known.admit(np.arange(first, min(first + 65_536, living)))
    batches, following = [], living
    for _ in range(max(50, IDS // batch)):
        ids = rng.integers(max(0, following - living), following, batch)
        fresh = rng.random(batch) < new
        ids[fresh] = np.arange(following, following + fresh.sum())
        following += int(fresh.sum())
        batches.append(ids)
    started = time.process_time()
    for ids in batches:
        known.admit(ids)
    return len(batches) * batch / (time.process_time() - started)


def main() -> None:
    """Prints a table."""
    print("rows       batch  new ids  M ids/s")
    for capacity in (10_000, 1_000_000):
        for batch in (256, 4096):
            for new in (0.0, 0.05, 0.5):
                print(f"{capacity:<10} {batch:<6} {new:<8.0%} {speed(capacity, batch, new) / 1e6:.2f}")


if __name__ == "__main__":
    main()
