"""Pieces of work over processes. What the cache holds is not done again, so a run that was cut short goes on."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from exfm_core.experiments.cache import Cache
from exfm_core.experiments.work import Piece, Result
from exfm_core.train.runtime import configure


def work(pieces: Sequence[Piece], store: Cache, jobs: int = 1) -> list[Result]:
    """Do all pieces in up to ``jobs`` processes of one thread each; return their results in order."""
    todo = {piece.name: piece for piece in pieces if not store.has(piece.name)}
    started = time.perf_counter()
    if todo and jobs == 1:
        settle()
        for number, piece in enumerate(todo.values(), 1):
            piece.done(store)
            _say(number, len(todo), piece, started)
    elif todo:
        # Largest first, so that no long piece is left over for the end.
        order = sorted(todo.values(), key=_size, reverse=True)
        with ProcessPoolExecutor(jobs, get_context("spawn"), settle) as pool:
            futures = {pool.submit(_do, piece, store): piece for piece in order}
            for number, future in enumerate(as_completed(futures), 1):
                future.result()
                _say(number, len(todo), futures[future], started)
    return [piece.done(store) for piece in pieces]


def settle() -> None:
    """One thread, and the settings of every trainer."""
    configure(1)


def _do(piece: Piece, store: Cache) -> None:
    piece.done(store)


def _size(piece: Piece) -> int:
    tenant = piece.stage.students[piece.student].tenant
    return len(piece.arms) * sum(period[tenant].rows for period in piece.stage.periods if tenant in period)


def _say(number: int, total: int, piece: Piece, started: float) -> None:
    spent = time.perf_counter() - started
    print(f"  {number}/{total} {piece.student} seed {piece.seed}: {spent:.0f} s so far", file=sys.stderr, flush=True)
