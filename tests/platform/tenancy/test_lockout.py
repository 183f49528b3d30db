"""Counting failed sign-ins."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tenancy import lockout
from tenancy.errors import TooManyRequests
from tenancy.models import SignInAttempt

pytestmark = pytest.mark.django_db

WHO = {"email": "ann@example.com", "address": "10.0.0.1"}


def fail(times: int, **who: str) -> None:
    """Count failures."""
    for _ in range(times):
        lockout.count_failure(**{**WHO, **who})


def test_the_limit_locks_and_one_less_does_not() -> None:
    fail(lockout.PAIR.failures - 1)
    lockout.refuse_if_locked(**WHO)
    fail(1)
    with pytest.raises(TooManyRequests) as caught:
        lockout.refuse_if_locked(**WHO)
    assert 0 < (caught.value.retry_after or 0) <= lockout.PAIR.lock.total_seconds()


def test_another_address_or_person_is_not_locked() -> None:
    fail(lockout.PAIR.failures)
    lockout.refuse_if_locked(email=WHO["email"], address="10.0.0.2")
    lockout.refuse_if_locked(email="bob@example.com", address=WHO["address"])


def test_an_address_that_tries_many_people_is_locked_for_all() -> None:
    for number in range(lockout.ADDRESS.failures):
        fail(1, email=f"person-{number}@example.com")
    with pytest.raises(TooManyRequests):
        lockout.refuse_if_locked(email="somebody@example.com", address=WHO["address"])


def test_the_lock_ends_and_an_old_window_counts_from_one() -> None:
    fail(lockout.PAIR.failures)
    SignInAttempt.objects.update(locked_until=timezone.now() - timedelta(hours=1))
    lockout.refuse_if_locked(**WHO)
    SignInAttempt.objects.update(window_started_at=timezone.now() - lockout.PAIR.window - timedelta(seconds=1))
    fail(lockout.PAIR.failures - 1)
    lockout.refuse_if_locked(**WHO)


def test_the_table_holds_neither_address_and_forgets() -> None:
    fail(1)
    assert all(WHO["email"] not in row.key and len(row.key) == 64 for row in SignInAttempt.objects.all())
    SignInAttempt.objects.update(window_started_at=timezone.now() - timedelta(days=2))
    assert lockout.forget_old() == 2
