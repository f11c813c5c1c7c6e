"""How a source wants its own site to be asked: headers, cookies, credentials out of the environment, a proxy."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from crawler.answers import Trouble
from storage.records import Headers, Record, SourceConfig

WITHHELD = "(withheld)"
"""What is stored of a request in the place of a secret."""

_BY_REFERENCE = "env:"
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
"""How a proxy's log-in names an environment variable."""
_ALWAYS_SECRET = frozenset({"authorization", "proxy-authorization", "cookie"})


class Secret(str):
    """A text that is sent, and neither stored nor logged."""

    __slots__ = ()

    def __repr__(self) -> str:
        return WITHHELD


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner(Record):
    """What goes with a request to a site."""

    headers: Headers = ()
    proxy: str | None = None


PLAIN = Manner()


class Unprepared(ValueError):
    """A source cannot be asked as it wants: `code` is `no_credentials` or `proxy_not_allowed`."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


def manner_of(config: SourceConfig, proxies: Collection[str] = (), environ: Mapping[str, str] | None = None) -> Manner:
    """The manner of one source. `proxies` are those that the operator allows.

    Raises Unprepared naming the variable that is not set, or the proxy that the settings do not name.
    """
    found = os.environ if environ is None else environ
    way = way_of(config.proxy, proxies, found)
    lines = [(name, _value(text, found)) for name, text in config.headers]
    lines += [("Cookie", Secret("; ".join(_cookies(config, found))))] if config.cookies else []
    lines += [("Authorization", line) for line in _authorization(config, found)]
    return Manner(headers=tuple(lines), proxy=way.proxy)


def way_of(proxy: str | None, proxies: Collection[str] = (), environ: Mapping[str, str] | None = None) -> Manner:
    """The way to a site: through no proxy, or through one by its address, with the header that logs in to it.

    `proxy` is as a source names it: `http://HOST:PORT`, or `http://USER:${VARIABLE}@HOST:PORT`; the settings name the
    same proxy without the log-in. Raises Unprepared like `manner_of`.
    """
    if proxy is None:
        return PLAIN
    scheme, _, rest = proxy.partition("://")
    login, at, host = rest.rpartition("@")
    address = f"{scheme}://{host}"
    if address not in proxies:
        raise Unprepared("proxy_not_allowed", f"the setting proxies does not name {address}")
    if not at:
        return Manner(proxy=address)
    found = os.environ if environ is None else environ
    plain = _REFERENCE.sub(lambda named: _variable(named[1], found), login)
    pair = base64.b64encode(plain.encode("utf-8")).decode("ascii")
    return Manner(proxy=address, headers=(("Proxy-Authorization", Secret(f"Basic {pair}")),))


def common_way(named: Iterable[str | None], proxies: Collection[str] = ()) -> tuple[Manner, Trouble | None]:
    """The one way to a site whose sources name these proxies; or why it cannot be gone, and nothing may be asked."""
    try:
        ways = [way_of(proxy, proxies) for proxy in sorted(filter(None, named))]
    except Unprepared as error:
        return PLAIN, Trouble(code=error.code, detail=error.detail)
    return (ways[0] if ways else PLAIN), None


def secret_names(headers: Headers) -> frozenset[str]:
    """The names, in small letters, of the headers whose values are secrets."""
    return frozenset(name.lower() for name, value in headers if isinstance(value, Secret))


def storable(headers: Headers, secret: Collection[str] = ()) -> Headers:
    """The headers of a request as they may be kept: those of these names and those that always are secret withheld."""
    hidden = _ALWAYS_SECRET.union(secret)
    return tuple((name, WITHHELD if name.lower() in hidden else value) for name, value in headers)


def _cookies(config: SourceConfig, environ: Mapping[str, str]) -> Iterator[str]:
    for name, text in config.cookies:
        yield f"{name}={_value(text, environ)}"


def _authorization(config: SourceConfig, environ: Mapping[str, str]) -> Iterator[str]:
    """Credentials by RFC 7617 (Basic) and RFC 6750 (Bearer)."""
    if config.basic:
        pair = base64.b64encode(_variable(config.basic, environ).encode("utf-8")).decode("ascii")
        yield Secret(f"Basic {pair}")
    if config.bearer:
        yield Secret(f"Bearer {_variable(config.bearer, environ)}")


def _value(text: str, environ: Mapping[str, str]) -> str:
    if not text.startswith(_BY_REFERENCE):
        return text
    return Secret(_variable(text.removeprefix(_BY_REFERENCE), environ))


def _variable(name: str, environ: Mapping[str, str]) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise Unprepared("no_credentials", f"the environment variable {name} is not set")
    if any(character in value for character in "\r\n\0"):
        raise Unprepared("no_credentials", f"the environment variable {name} holds a line break")
    return value
