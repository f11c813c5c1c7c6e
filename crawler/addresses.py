"""The address guard's judgement: which URLs and which resolved addresses may never be asked."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from crawler.hosts import Host
from crawler.urls import DEFAULT_PORTS, parse

BLOCKED_SCHEME = "blocked_scheme"
BLOCKED_ADDRESS = "blocked_address"
BLOCKED_PORT = "blocked_port"
BAD_URL = "bad_url"
LOGIN_IN_URL = "login_in_url"

IPAddress = IPv4Address | IPv6Address

_OUTSIDE = "".join(map(chr, range(0x21)))
_INSIDE = dict.fromkeys(map(ord, "\t\n\r"))
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
# With a backslash, a tab or a missing slash before the path, programs disagree on which host is meant: the one that is
# judged here need not be the one that is asked.
_CLEAR = re.compile(r"[A-Za-z]+://[^/\\?#\t\r\n]+(?:[/?#].*)?", re.DOTALL)
_LOGIN = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.\-]*:)?[/\\]{2}[^/\\?#]*@")
_LOOPBACK_NAMES = re.compile(r"(?:.*\.)?localhost|localhost\.localdomain|localhost[46]|ip6-(?:localhost|loopback)")
_LOOPBACKS = ("127.0.0.1", "::1")


def refusal(url: str, allowed: Collection[str] = ()) -> str | None:
    """Return why `url` may not be fetched, as far as it tells by itself: a stable code, or None.

    The host is read as a browser reads it, old IPv4 spellings included. A name must be judged again by
    `address_refusal` once it is resolved. `allowed` holds exceptions: `ADDRESS` or `ADDRESS:PORT`.
    """
    text = url.strip(_OUTSIDE)
    scheme = _SCHEME.match(text)
    if scheme and scheme[1].lower() not in DEFAULT_PORTS:
        return BLOCKED_SCHEME
    if not _CLEAR.fullmatch(text):
        return BAD_URL
    try:
        address = parse(text)
    except ValueError:
        return BAD_URL
    port = DEFAULT_PORTS[address.scheme] if address.port is None else address.port
    return _host_refusal(address.host, port, allowed) or (LOGIN_IN_URL if has_login(text) else None)


def has_login(url: str) -> bool:
    """Whether the address names a user, with or without a password (RFC 3986 section 3.2.1), in any of its spellings.

    Such a one is never fetched: it makes us log in somewhere as somebody, and is a secret that would be stored, shown
    and logged. A source has its log-in in an environment variable.
    """
    return _LOGIN.match(url.strip(_OUTSIDE).translate(_INSIDE)) is not None


def _host_refusal(host: Host, port: int, allowed: Collection[str]) -> str | None:
    if not isinstance(host, str):
        return address_refusal(str(host), port, allowed)
    if _LOOPBACK_NAMES.fullmatch(host):
        return None if any(_is_allowed(ip_address(ip), port, allowed) for ip in _LOOPBACKS) else BLOCKED_ADDRESS
    return BLOCKED_PORT if _is_blocked_port(port) and not _names_port(port, allowed) else None


def address_refusal(ip: str, port: int, allowed: Collection[str] = ()) -> str | None:
    """Return why the resolved address `ip` may not be connected to: `blocked_address`, `blocked_port`, or None.

    Text that is no address is refused: what cannot be judged is not asked.
    """
    try:
        address = ip_address(ip)
    except ValueError:
        return BLOCKED_ADDRESS
    if _is_allowed(address, port, allowed):
        return None
    if _is_special(address):
        return BLOCKED_ADDRESS
    return BLOCKED_PORT if _is_blocked_port(port) else None


def _is_special(address: IPAddress) -> bool:
    lists = _lists()
    if isinstance(address, IPv4Address):
        return any(address in network for network in lists.v4)
    if (inner := _embedded(address)) is not None:
        return _is_special(inner)
    if address.scope_id is not None or address not in lists.global_v6:
        return True
    # ISATAP (RFC 5214) may stand under any prefix: the interface identifier holds the IPv4 address.
    is_isatap = (int(address) >> 32) & 0xFDFFFFFF == 0x5EFE
    if is_isatap and _is_special(IPv4Address(int(address) & 0xFFFFFFFF)):
        return True
    return any(address in network for network in lists.v6)


def _embedded(address: IPv6Address) -> IPv4Address | None:
    for network, bits in _lists().embedded:
        if address in network:
            return IPv4Address((int(address) >> bits) & 0xFFFFFFFF)
    return None


def _is_allowed(address: IPAddress, port: int, allowed: Collection[str]) -> bool:
    # An IPv4-mapped address opens the same socket as the IPv4 address in it; no other form is taken for another.
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    entries = _entries(tuple(allowed)) if allowed else ()
    return (mapped or address, None) in entries or (mapped or address, port) in entries


@lru_cache(maxsize=16)
def _entries(allowed: tuple[str, ...]) -> frozenset[tuple[IPAddress, int | None]]:
    """The exceptions, taken apart once: every request is judged by them several times."""
    return frozenset(map(_entry, allowed))


def _entry(text: str) -> tuple[IPAddress, int | None]:
    """Take `ADDRESS`, `ADDRESS:PORT` or `[ADDRESS]:PORT` apart. Raises ValueError naming the entry."""
    host, colon, port = text.rpartition(":")
    if not colon or (":" in host and not host.endswith("]")):
        host, port = text, ""  # no port, or an IPv6 address without brackets
    try:
        return ip_address(host.removeprefix("[").removesuffix("]")), int(port) if port else None
    except ValueError as error:
        raise ValueError(f"allowed address {text!r} is not ADDRESS, ADDRESS:PORT or [IPV6]:PORT") from error


def _names_port(port: int, allowed: Collection[str]) -> bool:
    return any(entry[1] == port for entry in _entries(tuple(allowed)))


def _is_blocked_port(port: int) -> bool:
    return port in _lists().ports


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lists:
    v4: tuple[IPv4Network, ...]
    v6: tuple[IPv6Network, ...]
    global_v6: IPv6Network
    embedded: tuple[tuple[IPv6Network, int], ...]
    ports: frozenset[int]


@cache
def _lists() -> _Lists:
    data = tomllib.loads(resources.files("crawler.data").joinpath("networks.toml").read_text("utf-8"))
    return _Lists(
        v4=tuple(map(IPv4Network, data["v4"])),
        v6=tuple(map(IPv6Network, data["v6"])),
        global_v6=IPv6Network(data["global_v6"]),
        embedded=tuple((IPv6Network(network), bits) for network, bits in data["embedded"].items()),
        ports=frozenset(data["ports"]["web_forbids"] + data["ports"]["services"]),
    )
