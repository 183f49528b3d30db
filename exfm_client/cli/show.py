"""What the command prints: tables for people, JSON for programs."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

NONE = "–"

Column = tuple[str, Callable[[Any], Any]]


class Printer:
    """Prints answers to standard output; notes, which are no answer, go to standard error."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json

    def rows(self, rows: Iterable[Mapping[str, Any]], columns: Sequence[Column], empty: str) -> None:
        """Print a list: one JSON array, or a table."""
        if self.as_json:
            self.json(list(rows))
            return
        cells = [[text(value(row)) for _, value in columns] for row in rows]
        if not cells:
            self.note(empty)
            return
        table = [[name for name, _ in columns], *cells]
        widths = [max(len(row[number]) for row in table) for number in range(len(columns))]
        for row in table:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

    def facts(self, data: Any, facts: Sequence[tuple[str, Any]]) -> None:
        """Print one thing: JSON in full, or the facts that matter."""
        if self.as_json:
            self.json(data)
            return
        width = max(len(name) for name, _ in facts)
        for name, value in facts:
            print(f"{name.ljust(width)}  {text(value)}")

    def line(self, data: Any, said: str) -> None:
        """Print one event: a JSON line, or a sentence."""
        print(json.dumps(data, ensure_ascii=False) if self.as_json else said, flush=True)

    def json(self, data: Any) -> None:
        """Print JSON."""
        print(json.dumps(data, indent=2, ensure_ascii=False))

    @staticmethod
    def note(said: str) -> None:
        """Tell the person what is no part of the answer."""
        print(said, file=sys.stderr, flush=True)


def text(value: Any) -> str:
    """Return a value as people read it."""
    if value is None or value == "":
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def lift(value: Mapping[str, Any] | None) -> str:
    """Return a lift with sign and interval: `+0.84 % (0.72 to 0.96)`."""
    if not value or value.get("value") is None:
        return NONE
    if value.get("low") is None or value.get("high") is None:
        return f"{value['value']:+.2f} %"
    return f"{value['value']:+.2f} % ({value['low']:+.2f} to {value['high']:+.2f})"


def share(value: float | None) -> str:
    """Return a share in percent."""
    return NONE if value is None else f"{value:.0%}"
