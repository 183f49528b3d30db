"""Which addresses the platform calls, and that a name is resolved once and checked in full."""

import socket
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import addresses
from alerts.addresses import Forbidden

PRIVATE = [
    "127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "198.18.0.1", "192.0.2.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.88.99.1", "::", "::1", "fe80::1",
    "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2001::1", "2001:db8::1", "3fff::1",
    "fec0::1", "feff::1", "::ffff:0:7f00:1", "100::1", "5f00::1", "192.0.0.8", "192.0.0.170",
]  # fmt: skip


@pytest.mark.parametrize("text", PRIVATE)
def test_private_and_special_addresses_are_refused(text: str) -> None:
    with pytest.raises(Forbidden) as refused:
        addresses.check(ip_address(text), "https")
    assert refused.value.code == "address_refused"
    assert text not in str(refused.value), "what a name resolves to inside is nobody's business"


@pytest.mark.parametrize("text", ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_public_addresses_are_called_over_https_alone(text: str) -> None:
    addresses.check(ip_address(text), "https")
    with pytest.raises(Forbidden) as refused:
        addresses.check(ip_address(text), "http")
    assert refused.value.code == "http_refused"


@given(st.ip_addresses(v=4))
def test_no_address_that_python_calls_private_passes(address: Any) -> None:
    if address.is_private or address.is_loopback or address.is_link_local or address.is_multicast:
        assert not addresses.is_public(address)


def test_listed_networks_are_called_over_http_too(settings: Any) -> None:
    settings.EXFM_WEBHOOK_ALLOW = ["10.1.0.0/16", "fd00:1::/64"]
    addresses.check(ip_address("10.1.2.3"), "http")
    addresses.check(ip_address("::ffff:10.1.2.3"), "https")
    addresses.check(ip_address("fd00:1::5"), "http")
    with pytest.raises(Forbidden):
        addresses.check(ip_address("10.2.0.1"), "https")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/", "//example.com", "https://", "https:///x", "https://u:p@example.com/", "javascript:1",
        "https://exa mple.com/", "https://example.com:99999/", "https://example.com:0/", "https://[::1", "",
        "https://example.com/\r\nX: y", "https://example.com/\x7f",
        "https://" + "a" * 300 + ".com/", "https://example.com/é", "http://example.com/",
        "https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest/meta-data/",
        "https://localhost/", "https://LOCALHOST./", "https://web.localhost:8000/", "https://2130706433/",
        "https://0x7f000001/", "https://127.1/", "https://0177.0.0.1/", "https://127.0.0.1./",
    ],
)  # fmt: skip
def test_addresses_that_are_refused_unasked(url: str) -> None:
    with pytest.raises(Forbidden):
        addresses.parse(url)


def test_an_address_is_taken_apart() -> None:
    target = addresses.parse("https://Hooks.Example.com:8443/a/b?c=d#e")
    assert (target.host, target.port, target.path) == ("hooks.example.com", 8443, "/a/b?c=d")
    assert target.host_header == "hooks.example.com:8443"
    assert addresses.parse("https://bücher.example/").host == "xn--bcher-kva.example"


def answering(*found: str) -> Any:
    """Return a resolver that knows these addresses."""

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    return getaddrinfo


def test_a_name_is_refused_when_one_of_its_addresses_is(monkeypatch: pytest.MonkeyPatch) -> None:
    target = addresses.parse("https://hooks.example.com/")
    monkeypatch.setattr(socket, "getaddrinfo", answering("93.184.216.34", "10.0.0.7"))
    with pytest.raises(Forbidden) as refused:
        addresses.resolve(target)
    assert refused.value.code == "address_refused"
    monkeypatch.setattr(socket, "getaddrinfo", answering("93.184.216.34"))
    assert str(addresses.resolve(target)) == "93.184.216.34"


def test_a_name_that_resolves_to_this_machine_is_refused() -> None:
    with pytest.raises(Forbidden) as refused:
        addresses.resolve(addresses.Target("https", "localhost", 443, "/"))
    assert refused.value.code == "address_refused"
