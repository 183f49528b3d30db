"""Failed sign-ins, counted in the database so that all processes share the count."""

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from tenancy.errors import TooManyRequests
from tenancy.models import SignInAttempt


@dataclass(frozen=True)
class Limit:
    """So many failures within `window` lock for `lock`."""

    failures: int
    window: timedelta
    lock: timedelta


PAIR = Limit(failures=5, window=timedelta(minutes=15), lock=timedelta(minutes=15))
"""One e-mail address from one network address: guessing one password."""
ADDRESS = Limit(failures=50, window=timedelta(minutes=15), lock=timedelta(minutes=15))
"""One network address, whatever the e-mail address: trying leaked lists."""

FACTOR = Limit(failures=10, window=timedelta(minutes=15), lock=timedelta(minutes=15))
"""What one user proves with from wherever, codes or the present password: who has the one must not try the other."""


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _keys(email: str, address: str) -> dict[str, Limit]:
    return {_digest("pair", email, address): PAIR, _digest("address", address): ADDRESS}


def refuse_if_locked(*, email: str, address: str) -> None:
    """Raise `TooManyRequests` with the seconds to wait while either count is locked."""
    _refuse(_keys(email, address))


def refuse_if_factor_locked(*, email: str) -> None:
    """The same for codes of the second factor."""
    _refuse([_digest("factor", email)])


def refuse_if_password_locked(*, email: str) -> None:
    """The same for the present password, asked of who is signed in and wants another."""
    _refuse([_digest("password", email)])


def _refuse(keys: Iterable[str]) -> None:
    now = timezone.now()
    rows = SignInAttempt.objects.filter(pk__in=list(keys), locked_until__gt=now)
    until = max((row.locked_until for row in rows if row.locked_until), default=None)
    if until is not None:
        seconds = max(1, math.ceil((until - now).total_seconds()))
        raise TooManyRequests(
            "sign_in_locked",
            "Too many failed sign-ins.",
            f"Wait {math.ceil(seconds / 60)} minutes, then try again.",
            retry_after=seconds,
        )


def count_failure(*, email: str, address: str) -> None:
    """Count one failure; the one that reaches the limit locks."""
    _count(_keys(email, address))


def count_factor_failure(*, email: str) -> None:
    """Count one wrong code."""
    _count({_digest("factor", email): FACTOR})


def count_password_failure(*, email: str) -> None:
    """Count one wrong present password."""
    _count({_digest("password", email): FACTOR})


def _count(keys: Mapping[str, Limit]) -> None:
    now = timezone.now()
    with connection.cursor() as cursor:
        for key, limit in keys.items():
            cursor.execute(
                """
                INSERT INTO tenancy_signinattempt AS a (key, failures, window_started_at, locked_until)
                VALUES (%(key)s, 1, %(now)s, NULL)
                ON CONFLICT (key) DO UPDATE SET
                    failures = CASE WHEN a.window_started_at < %(since)s THEN 1 ELSE a.failures + 1 END,
                    window_started_at =
                        CASE WHEN a.window_started_at < %(since)s THEN %(now)s ELSE a.window_started_at END,
                    locked_until = CASE WHEN a.window_started_at >= %(since)s AND a.failures + 1 >= %(limit)s
                        THEN %(until)s ELSE NULL END
                """,
                {
                    "key": key,
                    "now": now,
                    "since": now - limit.window,
                    "limit": limit.failures,
                    "until": now + limit.lock,
                },
            )


def forget(*, email: str, address: str) -> None:
    """A right password clears the pair's count, not the address's."""
    pair = next(iter(_keys(email, address)))
    SignInAttempt.objects.filter(pk=pair).delete()


def forget_old(*, older_than: timedelta = timedelta(days=1)) -> int:
    """Remove counts nobody needs any more; return how many."""
    return SignInAttempt.objects.filter(window_started_at__lt=timezone.now() - older_than).delete()[0]
