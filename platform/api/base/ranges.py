"""`Range`: the rest of a file whose transfer broke off (RFC 9110, section 14). One range at a time."""

import re
from dataclasses import dataclass

from django.http import HttpRequest

from tenancy.errors import DomainError

_ONE = re.compile(r"bytes=(\d{0,20})-(\d{0,20})\Z")


@dataclass(frozen=True)
class Span:
    """The bytes `[start, end)`."""

    start: int
    end: int


def wanted(request: HttpRequest, *, size: int, etag: str) -> Span | None:
    """Return the part that the request asks for; None = all. Raises 416 where it lies outside the file.

    With `If-Range` the part is given of that very file alone; of another, all is.
    """
    header = request.headers.get("Range", "").replace(" ", "")
    found = _ONE.match(header)
    if found is None or found.groups() == ("", ""):
        return None
    if request.headers.get("If-Range", etag) != etag:
        return None
    first, last = found.groups()
    if first:
        span = Span(int(first), min(int(last) + 1 if last else size, size))
    else:
        span = Span(max(0, size - int(last)), size)
    if last and first and int(last) < int(first):
        return None
    if span.start >= size or span.start >= span.end:
        raise DomainError(
            "range_outside", f"The file has {size} bytes.", f"Ask for bytes=0-{size - 1} or a part of it.", status=416
        )
    return span
