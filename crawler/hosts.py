"""The host of an address, read as a browser reads it (WHATWG URL Standard, section 3.5, host parsing)."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import unquote_to_bytes

import idna

Host = str | IPv4Address | IPv6Address
"""A name in lower-case ASCII without a trailing dot, or an IP address."""

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f#/:<>?@\[\\\]^|%]")
_HEX = re.compile(r"0[xX][0-9A-Fa-f]*")


@lru_cache(maxsize=4096)
def parse_host(text: str) -> Host:
    """Return the host that `text` (the part between `://` and the port) names.

    A name whose last label is a number is an IPv4 address in one of its old spellings (`127.1`, `0x7f000001`,
    `017700000001`) or an error. Raises ValueError, in one line, where no browser would find a host.
    """
    if text.startswith("["):
        return _ipv6(text)
    name = _ascii(unquote_to_bytes(text).decode("utf-8", "replace"))
    if not name or _FORBIDDEN.search(name):
        raise ValueError(f"not a host: {text[:100]!r}")
    if _ends_in_number(name):
        return _ipv4(name)
    name = name.removesuffix(".")
    if len(name) > 253 or not all(0 < len(label) <= 63 for label in name.split(".")):
        raise ValueError(f"not a host name: {text[:100]!r}")
    return name


def format_host(host: Host) -> str:
    """Return the host as it stands in an address: IPv6 in brackets."""
    return f"[{host.compressed}]" if isinstance(host, IPv6Address) else str(host)


def _ascii(name: str) -> str:
    """Apply UTS 46 mapping and Punycode, without the strict rules: emoji and underscores are seen in real names."""
    if name.isascii():
        return name.lower()
    try:
        mapped = idna.uts46_remap(name, std3_rules=False, transitional=False)
        labels = [part if part.isascii() else "xn--" + part.encode("punycode").decode() for part in mapped.split(".")]
    except UnicodeError as error:
        raise ValueError(f"not a host name: {name[:100]!r}") from error
    return ".".join(labels).lower()


def _ipv6(text: str) -> IPv6Address:
    inner = text[1:-1]
    # A zone (`%eth0`) has no place in an address of the web.
    if not text.endswith("]") or "%" in inner:
        raise ValueError(f"not an IPv6 address: {text[:100]!r}")
    try:
        return IPv6Address(inner)
    except AddressValueError as error:
        raise ValueError(f"not an IPv6 address: {text[:100]!r}") from error


def _ends_in_number(name: str) -> bool:
    last = name.removesuffix(".").rsplit(".", 1)[-1]
    return (last.isascii() and last.isdigit()) or _HEX.fullmatch(last) is not None


def _ipv4(name: str) -> IPv4Address:
    parts = name.removesuffix(".").split(".")
    try:
        *front, last = (_number(part) for part in parts)
    except ValueError as error:
        raise ValueError(f"not an IPv4 address: {name[:100]!r}") from error
    if len(parts) > 4 or any(part > 255 for part in front) or last >= 256 ** (5 - len(parts)):
        raise ValueError(f"not an IPv4 address: {name[:100]!r}")
    return IPv4Address(last + sum(part * 256 ** (3 - place) for place, part in enumerate(front)))


def _number(part: str) -> int:
    if not part or len(part) > 64:
        raise ValueError("an IPv4 part has digits")
    if part[:2] in ("0x", "0X"):
        return int(part[2:] or "0", 16)
    return int(part, 8) if part.startswith("0") and len(part) > 1 else int(part, 10)
