"""Which network address a request came from."""

from typing import Any

import pytest
from django.test import RequestFactory

from tenancy.addresses import client_address


@pytest.mark.parametrize(
    ("trusted", "forwarded", "expected"),
    [
        (0, "1.1.1.1, 2.2.2.2", "9.9.9.9"),
        (1, "1.1.1.1, 2.2.2.2", "2.2.2.2"),
        (2, "1.1.1.1, 2.2.2.2", "1.1.1.1"),
        (5, "1.1.1.1", "1.1.1.1"),
        (1, "", "9.9.9.9"),
    ],
)
def test_a_forwarded_address_counts_as_far_as_proxies_are_trusted(
    trusted: int, forwarded: str, expected: str, settings: Any
) -> None:
    settings.EXFM_TRUSTED_PROXIES = trusted
    headers = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
    assert client_address(RequestFactory().get("/", REMOTE_ADDR="9.9.9.9", **headers)) == expected
