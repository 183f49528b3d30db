"""Server-sent events: the lines of a stream as events, reconnecting with a pause when it breaks."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from exfm_client import errors
from exfm_client.transport import LONGEST_PAUSE, Transport, unreachable


@dataclass(frozen=True)
class Event:
    """One event. `resync` means: something may have been missed, read again what you show."""

    name: str
    data: Any
    id: str = ""


def parse(lines: Iterable[str]) -> Iterator[Event]:
    """Yield the events of a stream's lines (WHATWG's format, as far as the platform uses it)."""
    name, last = "message", ""
    data: list[str] = []
    for line in lines:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                yield Event(name, json.loads("\n".join(data)), last)
            name, data = "message", []
        elif field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif field == "id":
            last = value


def follow(transport: Transport, path: str, params: Mapping[str, Any]) -> Iterator[Event]:
    """Yield events for ever; a broken stream is opened again, and its first event is then a `resync`.

    Raises `ApiProblem` where the platform refuses the stream, `Unreachable` when it has been away too long.
    """
    last, pause, until = "", 0.5, time.monotonic() + transport.patience
    while True:
        try:
            headers = {"Last-Event-ID": last} if last else {}
            with transport.stream(path, params, headers) as answer:
                for event in parse(answer.iter_lines()):
                    pause, until, last = 0.5, time.monotonic() + transport.patience, event.id or last
                    yield event
        except httpx.TransportError as error:
            if time.monotonic() > until:
                raise unreachable(transport.url, error) from error
        except errors.ApiProblem as refusal:
            if refusal.status not in (429, 502, 503, 504) or time.monotonic() > until:
                raise
            pause = max(pause, min(refusal.retry_after or 0.0, LONGEST_PAUSE))
        # Without an id the next stream would not know that this one was ever there.
        last = last or "0"
        time.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)
