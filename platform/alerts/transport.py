"""One POST to a webhook's address: to the checked IP address alone, no redirect, bounded in time and size."""

import http.client
import re
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from typing import Final

from django.conf import settings

from alerts import addresses
from alerts.addresses import Address, Forbidden, Target

CONNECT_SECONDS: Final = 5.0
KEPT_BYTES: Final = 1000
"""How much of an answer is read, and kept in the log."""

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class Answer:
    """What came of a POST: `code` is `ok` for a 2xx, else why it counts as failed."""

    code: str
    status: int | None = None
    detail: str = ""
    response: str = ""
    milliseconds: int = 0

    @property
    def ok(self) -> bool:
        """Whether the receiver took it."""
        return self.code == "ok"


def post(url: str, body: bytes, headers: dict[str, str]) -> Answer:
    """Send the body; every way to fail is an answer, never an exception."""
    began = time.monotonic()
    try:
        target = addresses.parse(url)
        code, status, detail, text = _exchange(target, addresses.resolve(target), body, headers)
    except Forbidden as refusal:
        code, status, detail, text = refusal.code, None, str(refusal), ""
    except TimeoutError:
        code, status, detail, text = "timeout", None, "The receiver did not answer in time.", ""
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", "") or error.reason or "handshake failed"
        code, status, detail, text = "tls_failed", None, f"No secure connection: {reason}.", ""
    except (OSError, http.client.HTTPException) as error:
        code, status, detail, text = "unreachable", None, _plain(f"{type(error).__name__}: {error}"), ""
    return Answer(code, status, detail[:300], text, int((time.monotonic() - began) * 1000))


def _exchange(
    target: Target, address: Address, body: bytes, headers: dict[str, str]
) -> tuple[str, int | None, str, str]:
    limit = float(settings.EXFM_WEBHOOK_SECONDS)
    deadline = time.monotonic() + limit
    raw = socket.create_connection((str(address), target.port), timeout=min(CONNECT_SECONDS, limit))
    watch = threading.Timer(limit, _cut, [raw])
    watch.daemon = True
    watch.start()
    connection = http.client.HTTPConnection(target.host, target.port)
    try:
        raw.settimeout(limit)
        tls = ssl.create_default_context() if target.scheme == "https" else None
        # Handing the connected socket over keeps http.client from resolving the name once more.
        connection.sock = tls.wrap_socket(raw, server_hostname=target.host) if tls else raw
        connection.request("POST", target.path, body=body, headers={"Host": target.host_header, **headers})
        answer = connection.getresponse()
        text = _plain(answer.read(KEPT_BYTES).decode("utf-8", "replace"))[:KEPT_BYTES]
    except (OSError, http.client.HTTPException):
        if time.monotonic() < deadline:
            raise
    finally:
        watch.cancel()
        if connection.sock is not None:
            connection.sock.close()
        raw.close()
    if time.monotonic() >= deadline:
        # Whatever was read then is cut off: half a head looks like a whole one.
        raise TimeoutError
    return *_judged(answer.status), text


def _judged(status: int) -> tuple[str, int, str]:
    if 200 <= status < 300:
        return "ok", status, ""
    if 300 <= status < 400:
        return "redirect_refused", status, "Redirects are not followed; enter the address that answers itself."
    if status == 410:
        return "gone", status, "The receiver says that it is gone for good."
    return "refused", status, f"The receiver answered {status}."


def _cut(raw: socket.socket) -> None:
    """End an exchange that takes too long, however slowly its bytes drip."""
    try:
        raw.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def _plain(text: str) -> str:
    return _UNPRINTABLE.sub(" ", text)
