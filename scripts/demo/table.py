"""The closing table: what each team got from the foundation model, and what it cost."""

from typing import Any

from rich.console import Console
from rich.table import Table


def number(value: float | None, digits: int = 4) -> str:
    """Return a plain number, or a dash where it is undefined."""
    return "–" if value is None else f"{value:.{digits}f}"


def lift_text(lift: dict[str, Any]) -> str:
    """Return a lift with sign, unit and 95 % interval, or why there is none."""
    if lift["value"] is None:
        return f"– ({lift.get('reason') or 'no data'})"
    return f"{lift['value']:+.2f} % [{lift['low']:+.2f}, {lift['high']:+.2f}]"


def show(result: dict[str, Any], title: str) -> None:
    """Print the table and the pooled lift."""
    currency = result["currency"]
    caption = f"NE: progressive, lower is better · lift: NE gain with 95 % interval · money in {currency}"
    table = Table(title=title, caption=caption)
    for name in ("tenant", "model", "task"):
        table.add_column(name)
    for name in ("NE control", "NE treatment", "lift [95 %]", "AUC", "coverage", "cost", "measurement", "FM share"):
        table.add_column(name, justify="right")
    for row in result["tenants"]:
        table.add_row(
            row["tenant"],
            row["model"],
            row["task"],
            number(row["ne_control"]),
            number(row["ne_treatment"]),
            lift_text(row["lift"]),
            number(row["auc_treatment"]),
            "–" if row["coverage"] is None else f"{100 * row['coverage']:.0f} %",
            row["cost"],
            row["measurement_cost"],
            row["fm_share"],
        )
    console = Console(width=None if Console().is_terminal else 170)
    console.print(table)
    fm = result["fm"]
    console.print(f"Pooled lift over all rows: {lift_text(result['pooled'])} NE")
    console.print(
        f"Foundation model: training {fm['training']} + scoring {fm['scoring']} {currency}; "
        f"allocated to tenants {fm['allocated']}, left with the platform {fm['unallocated']}"
    )
