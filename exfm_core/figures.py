"""Numbers in sentences, as the dashboard writes them (`frontend/src/format`): a space before the per cent sign, a true
minus sign, halves rounded up."""

from decimal import ROUND_HALF_UP, Decimal


def share(part: float, digits: int = 1) -> str:
    """Write a share in [0, 1] as per cent: 0.9312 -> `93.1 %`; never 0.0 % of something, 0 and 1 without decimals."""
    percent, least = 100 * part, 10**-digits
    if 0 < percent < least / 2:
        return f"under {least:.{digits}f} %"
    return f"{_fixed(percent, 0 if percent in (0, 100) else digits)} %"


def signed(value: float, digits: int = 2) -> str:
    """Write a number with its sign: `+0.84`, `−1.20`; `0.00` without one."""
    text = _fixed(abs(value), digits)
    sign = "+" if value > 0 else "\N{MINUS SIGN}"
    return f"{sign}{text}" if float(text) else text


def _fixed(value: float, digits: int) -> str:
    return f"{Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP):f}"
