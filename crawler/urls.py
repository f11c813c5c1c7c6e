"""Addresses of the web: the key that a page is known by, its site, and its origin."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from urllib.parse import unquote_plus, urljoin

from crawler.hosts import Host, format_host, parse_host

MAX_LENGTH = 2048
"""Characters of a key. Longer ones are traps, and no database can index them."""

DEFAULT_PORTS = {"http": 80, "https": 443}

_ADDRESS = re.compile(
    r"(?i)(?P<scheme>https?):[/\\]*(?P<authority>[^/\\?#]*)(?P<path>[^?#]*)(?P<rest>.*)",
    re.DOTALL,
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")
_OUTSIDE = "".join(map(chr, range(0x21)))  # C0 controls and space, which browsers trim
_INSIDE = dict.fromkeys(map(ord, "\t\n\r"))
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})?|[^%]")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PLAIN = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:@/?\[\]]*")
_DOT = re.compile(r"%2[eE]")
_TOKEN = re.compile(r"[0-9A-Za-z]{20,}")
_ASP_SESSION = re.compile(r"\((?:[ASF]\([0-9A-Za-z_\-]{12,}\))+\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """An http(s) address taken apart. Credentials and the fragment are gone; the rest is as it was written."""

    scheme: str
    host: Host
    port: int | None
    """None where it is the scheme's own."""
    path: str
    query: str


def clean(url: str, base: str | None = None) -> str:
    """Return `url` as an absolute address: trimmed like a browser does (WHATWG URL 4.4), joined to `base`.

    Slashes that lean the wrong way, or stand in the wrong number before the host, are put right.
    Raises ValueError where the result is not http(s).
    """
    text = url.strip(_OUTSIDE).translate(_INSIDE)
    if base is not None and not _SCHEME.match(text):
        text = _joined(base.strip(_OUTSIDE).translate(_INSIDE), text.replace("\\", "/"))
    if not (match := _ADDRESS.fullmatch(text)):
        raise ValueError(f"not an http(s) address: {url[:200]!r}")
    path = match["path"].replace("\\", "/")
    return f"{match['scheme'].lower()}://{match['authority']}{path}{match['rest']}"


@lru_cache(maxsize=4096)
def parse(url: str, base: str | None = None) -> Address:
    """Take an address apart. Raises ValueError, in one line, where it is not http(s) or has no usable host or port."""
    match = _ADDRESS.fullmatch(clean(url, base))
    assert match is not None
    host, port = _host_and_port(match["authority"].rpartition("@")[2], url)
    query = match["rest"].partition("#")[0].removeprefix("?")
    scheme = match["scheme"]
    port = None if port == DEFAULT_PORTS[scheme] else port
    return Address(scheme=scheme, host=host, port=port, path=match["path"], query=query)


def canonical_key(url: str, base: str | None = None) -> str:
    """Return the key that the page at `url` is known by; the key is an address itself, and its own key.

    RFC 3986 section 6.2.2 and 6.2.3 normalisation, plus rules of our own:

    * credentials, the fragment (a server never sees it, `#!` included), and tracking and session parameters go;
    * the order of the other parameters stays: some servers read it, and a site spells its own links one way;
    * `http` counts as `https` for a domain name on the default port. News sites moved, their old links and feeds did
      not. With a port of its own, or for an IP address or a bare name such as `localhost`, the scheme stays.

    Raises ValueError, in one line, for anything but an http(s) address with a host.
    """
    address = parse(url, base)
    path = _path(address.path)
    query = "&".join(_parameters(address.query))
    scheme = "https" if address.port is None and _is_domain(address.host) else address.scheme
    key = f"{scheme}://{_authority(address)}{path}" + (f"?{query}" if query else "")
    if len(key) > MAX_LENGTH:
        raise ValueError(f"address of more than {MAX_LENGTH} characters: {url[:100]!r}")
    return key


def origin_of(url: str) -> str:
    """Return `scheme://host[:port]`, for which one robots.txt holds (RFC 9309 section 2.3). Raises ValueError."""
    address = parse(url)
    return f"{address.scheme}://{_authority(address)}"


def site_of(url: str) -> str:
    """Return the registrable domain by the Public Suffix List, the unit of politeness.

    An IP address or a bare name such as `localhost` is its own site together with its port. Raises ValueError.
    """
    address = parse(url)
    if not _is_domain(address.host):
        return f"{format_host(address.host)}:{address.port or DEFAULT_PORTS[address.scheme]}"
    return _registrable(str(address.host))


@lru_cache(maxsize=16384)
def _registrable(name: str) -> str:
    found = _suffixes()(name)
    # A top-level domain that the list lacks falls under its default rule "*": one label is the suffix.
    return found or ".".join(name.split(".")[-2:])


@cache
def _suffixes() -> Callable[[str], str]:
    import tldextract  # noqa: PLC0415 - 200 ms, and most callers only want keys

    # The snapshot in the package: no network, and no cache folder somewhere in a home.
    extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, fallback_to_snapshot=True)
    return lambda name: extract.extract_str(name).top_domain_under_public_suffix


def _joined(base: str, reference: str) -> str:
    if reference.startswith("//"):  # a host, after however many slashes
        return f"{base.partition(':')[0]}:{reference}"
    try:
        return urljoin(base, reference)
    except ValueError as error:
        raise ValueError(f"not an address: {reference[:200]!r}") from error


def _host_and_port(authority: str, url: str) -> tuple[Host, int | None]:
    host, colon, port = authority.rpartition(":")
    if not colon or port.endswith("]"):
        host, port = authority, ""
    if not host:
        raise ValueError(f"address without a host: {url[:200]!r}")
    if port and not (port.isascii() and port.isdigit() and len(port) < 10 and int(port) < 65536):
        raise ValueError(f"not a port: {port[:20]!r} in {url[:200]!r}")
    return parse_host(host), int(port) if port else None


def _is_domain(host: Host) -> bool:
    return isinstance(host, str) and "." in host


def _authority(address: Address) -> str:
    return format_host(address.host) + (f":{address.port}" if address.port is not None else "")


def without_dots(path: str) -> str:
    """Return a path as a server reads it: `.` and `..` are followed (RFC 3986 section 5.2.4), written `%2e` too."""
    return "/" + "/".join(_undotted(path.split("/")[1:]))


def _path(path: str) -> str:
    segments = map(_segment, _escaped(path).split("/")[1:])
    return "/" + "/".join(_undotted([segment for segment in segments if segment is not None]))


def _undotted(segments: list[str]) -> list[str]:
    kept: list[str] = []
    for place, segment in enumerate(segments):
        plain = _DOT.sub(".", segment)
        if plain == "..":
            del kept[-1:]
        if plain not in (".", ".."):
            kept.append(segment)
        elif place == len(segments) - 1:
            kept.append("")  # `a/..` names a folder: the slash stays
    return kept


def _segment(segment: str) -> str | None:
    """Return a segment without session parameters; None where it was nothing else (ASP.NET, cookieless)."""
    name, *parameters = segment.split(";")
    kept = ";".join([name, *(p for p in parameters if not _is_session(*_pair(p)))])
    return None if _ASP_SESSION.fullmatch(kept) else kept


def _parameters(query: str) -> list[str]:
    return [part for part in _escaped(query).split("&") if part and not _is_noise(*_pair(part))]


def _pair(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    return unquote_plus(name).lower(), value


def _is_noise(name: str, value: str) -> bool:
    lists = _lists()
    placed = name in lists.placement_names and value.lower() in lists.placement_values
    return placed or name in lists.names or name.startswith(lists.prefixes) or _is_session(name, value)


def _is_session(name: str, value: str) -> bool:
    lists = _lists()
    if name in lists.guarded:
        return _TOKEN.fullmatch(value) is not None
    return name in lists.session_names or name.startswith(lists.session_prefixes)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lists:
    names: frozenset[str]
    prefixes: tuple[str, ...]
    session_names: frozenset[str]
    session_prefixes: tuple[str, ...]
    guarded: frozenset[str]
    placement_names: frozenset[str]
    placement_values: frozenset[str]


@cache
def _lists() -> _Lists:
    blocks = tomllib.loads(resources.files("crawler.data").joinpath("tracking.toml").read_text("utf-8"))
    session, placement = blocks.pop("session"), blocks.pop("placement")
    return _Lists(
        names=frozenset(name for block in blocks.values() for name in block["names"]),
        prefixes=tuple(prefix for block in blocks.values() for prefix in block.get("prefixes", ())),
        session_names=frozenset(session["names"]),
        session_prefixes=tuple(session["prefixes"]),
        guarded=frozenset(session["guarded"]),
        placement_names=frozenset(placement["names"]),
        placement_values=frozenset(placement["values"]),
    )


def _escaped(text: str) -> str:
    """Normalise percent-encoding (RFC 3986 6.2.2.1 and 6.2.2.2): escape what must be, unescape what need not be."""
    if _PLAIN.fullmatch(text):
        return text
    return _ESCAPE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    text = match[0]
    if text[0] != "%":
        return text if _PLAIN.fullmatch(text) else "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "replace"))
    if match[1] is None:
        return "%25"
    character = chr(int(match[1], 16))
    return character if character in _UNRESERVED else text.upper()
