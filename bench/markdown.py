"""Pages whose tables are written out of bench/results.

A table stands between `<!-- name -->` and `<!-- end -->`; the words around it are written by hand.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from bench.report import RESULTS

Results = dict[str, dict[str, Any]]
Tables = Mapping[str, Callable[[Results], str]]


def results(folder: Path = RESULTS) -> Results:
    """Every measurement by its name."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


def render(text: str, tables: Tables, found: Results) -> str:
    """The page with its tables as the results have them. Raises KeyError for a mark that no table fills."""

    def block(match: re.Match[str]) -> str:
        name = match[1]
        return f"<!-- {name} -->\n{tables[name](found)}\n<!-- end -->"

    return re.sub(r"<!-- ([a-z-]+) -->\n.*?<!-- end -->", block, text, flags=re.DOTALL)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table, its first column to the left and the others to the right."""
    first = list(head)
    lines = [first, ["---", *["---:"] * (len(first) - 1)], *map(list, rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
