"""Budget periods: calendar months in UTC."""

from datetime import UTC, datetime


def month_of(moment: datetime) -> tuple[datetime, datetime]:
    """Return the month `[start, end)` that holds `moment`."""
    start = moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return start, next_month(start)


def next_month(start: datetime) -> datetime:
    """Return the first moment of the month after `start`'s."""
    return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
