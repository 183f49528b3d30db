"""Where the platform may send: public addresses, and networks that the operator lists in EXFM_WEBHOOK_ALLOW.

A tenant names the address, the platform's machines make the call: without this a tenant could reach what only they can
(loopback, the private network, a cloud's metadata service). A name is resolved once and the connection made to exactly
the address that was checked, so that a name which changes between the two gains nothing.
"""

import ipaddress
import socket
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
REFUSED: Final = tuple(
    ipaddress.ip_network(text)
    for text in (
        "::/3",  # nothing outside 2000::/3 is an address of the internet: local NAT64, IPv4-compatible …
        "4000::/2",
        "8000::/1",  # … and site-local, which `ipaddress` takes for global
        "192.0.0.0/24",  # protocols' own
        "2001::/32",  # Teredo
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
        "192.88.99.0/24",  # 6to4 relays
    )
)
"""Refused on top of what `ipaddress` knows not to be global: they carry other addresses inside, or lead nowhere."""

PORTS: Final = range(1, 65536)


class Forbidden(Exception):
    """The address may not be called; `code` and the text say why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Target:
    """A webhook's address in parts."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == {"https": 443, "http": 80}[self.scheme] else f"{host}:{self.port}"


def allowed_networks() -> tuple[Network, ...]:
    """Return the networks of EXFM_WEBHOOK_ALLOW."""
    return _parsed(tuple(settings.EXFM_WEBHOOK_ALLOW))


@lru_cache(maxsize=8)
def _parsed(texts: tuple[str, ...]) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(text) for text in texts)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"EXFM_WEBHOOK_ALLOW: {error}. List networks, for example 10.1.0.0/16,192.168.7.4/32."
        ) from error


def parse(url: str) -> Target:
    """Take a URL apart and refuse what can be refused without asking the network. Raises `Forbidden`."""
    parts = _split(url)
    try:
        host, port = parts.hostname or "", parts.port
        host.encode("idna" if not host.isascii() else "ascii")
    except (ValueError, UnicodeError) as error:
        raise Forbidden("url_invalid", f"The address cannot be read: {error}.") from error
    if not host or len(host) > 253 or any(ord(letter) <= 32 or letter == "\x7f" for letter in url):
        raise Forbidden("url_invalid", "The address names no host.")
    if parts.username or parts.password:
        raise Forbidden("url_invalid", "The address holds a user name or password.")
    if parts.scheme == "http" and not allowed_networks():
        raise Forbidden("http_refused", "Only https:// is called; nobody on the way may read or change a delivery.")
    if port is not None and port not in PORTS:
        raise Forbidden("url_invalid", f"{port} is no port.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii():
        raise Forbidden("url_invalid", "The path holds characters that must be percent-encoded.")
    literal = _literal(host)
    if literal is not None:
        check(literal, parts.scheme)
    ascii_host = host if host.isascii() else host.encode("idna").decode()
    return Target(parts.scheme, ascii_host, port or {"https": 443, "http": 80}[parts.scheme], path)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise Forbidden("url_invalid", f"The address cannot be read: {error}.") from error
    if parts.scheme not in {"https", "http"}:
        raise Forbidden("url_invalid", "The address must begin with https://.")
    return parts


def _literal(host: str) -> Address | None:
    """Return the address that the host is without asking: written out, as a number (`2130706433`), or by convention."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return ipaddress.IPv4Address("127.0.0.1")
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(name))  # as the system's resolver reads what is all numbers
    except (OSError, UnicodeError):
        return None


def check(address: Address, scheme: str) -> None:
    """Raise `Forbidden` unless the platform may connect to the address with the scheme."""
    seen = _unwrapped(address)
    listed = any(seen in network for network in allowed_networks() if network.version == seen.version)
    if listed:
        return
    if not is_public(seen):
        raise Forbidden(
            "address_refused",
            "The address belongs to a private or special network, which the platform does not call. "
            "An operator can list the network in EXFM_WEBHOOK_ALLOW.",
        )
    if scheme != "https":
        raise Forbidden("http_refused", "Only https:// is called outside networks that the operator has listed.")


def is_public(address: Address) -> bool:
    """Tell whether the address is an ordinary one of the public internet."""
    if not address.is_global or address.is_multicast or address.is_reserved or address.is_unspecified:
        return False
    return not any(address in network for network in REFUSED if network.version == address.version)


def _unwrapped(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for, else the address itself."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def resolve(target: Target) -> Address:
    """Return the checked address to connect to. Every address of the name must be allowed, or none is used.

    Raises `Forbidden`, also where the name has no address.
    """
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError) as error:
        raise Forbidden("name_unknown", f"The host name has no address ({error}).") from error
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    if not addresses:
        raise Forbidden("name_unknown", "The host name has no address.")
    for address in addresses:
        check(address, target.scheme)
    return addresses[0]
