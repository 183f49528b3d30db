"""What an experiment found: tables, series for pictures, and remarks; written as Markdown, JSON and SVG."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from exfm_core.experiments.figures import Figure


@dataclass(slots=True)
class Table:
    """A table of text and figures. ``remark`` stands below it."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    remark: str = ""

    def add(self, *cells: Any) -> None:
        """Append a row."""
        self.rows.append(cells)


@dataclass(slots=True)
class Series:
    """One line of a picture: values with intervals over x."""

    label: str
    x: list[float]
    y: list[float]
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Picture:
    """A picture with one or more lines."""

    title: str
    x_label: str
    y_label: str
    series: list[Series]
    log_x: bool = False
    ticks: dict[float, str] = field(default_factory=dict)


@dataclass(slots=True)
class Report:
    """``about``: what was run (recipe, seeds, specs), so that figures can be checked without the history."""

    name: str
    title: str
    question: str
    command: str
    about: dict[str, Any]
    tables: list[Table] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def markdown(self) -> str:
        """The report as a page."""
        lines = [f"# {self.title}", "", self.question, "", f"    {self.command}", ""]
        lines += [f"- {name}: {_text(value)}" for name, value in self.about.items()]
        lines += [f"- computing time of what is shown: {self.seconds:,.0f} s of one core", ""]
        for table in self.tables:
            lines += [f"## {table.title}", "", _line(table.columns), "|" + "---|" * len(table.columns)]
            lines += [_line(row) for row in table.rows]
            lines += ["", *([table.remark, ""] if table.remark else [])]
        for number, picture in enumerate(self.pictures):
            lines += [f"![{picture.title}]({self.picture_name(number)})", ""]
        if self.remarks:
            lines += ["## Remarks", "", *(f"- {remark}" for remark in self.remarks), ""]
        return "\n".join(lines)

    def picture_name(self, number: int) -> str:
        """File name of a picture."""
        return f"{self.name}.svg" if number == 0 else f"{self.name}-{number + 1}.svg"

    def write(self, folder: Path) -> None:
        """Write the page, its data, and its pictures where matplotlib is installed."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.name}.md").write_text(self.markdown())
        data = {
            "name": self.name,
            "command": self.command,
            "about": self.about,
            "seconds": round(self.seconds, 1),
            "tables": [
                {"title": t.title, "rows": [dict(zip(t.columns, map(_plain, row), strict=True)) for row in t.rows]}
                for t in self.tables
            ],
            "pictures": [asdict(picture) for picture in self.pictures],
        }
        (folder / f"{self.name}.json").write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")
        if self.pictures:
            from exfm_core.experiments import plots

            for number, picture in enumerate(self.pictures):
                plots.draw(picture, folder / self.picture_name(number))


def _line(cells: Sequence[Any]) -> str:
    return "| " + " | ".join(_text(cell) for cell in cells) + " |"


def _text(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4f}" if abs(value) < 10 else f"{value:,.1f}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(item)}" for name, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_text(item) for item in value)
    return str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Figure):
        bounds = {"value": value.value, "low": value.low, "high": value.high, "seeds": list(value.seeds)}
        return {name: _rounded(item) for name, item in bounds.items()}
    return _rounded(value)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 5) if math.isfinite(value) else None
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)
