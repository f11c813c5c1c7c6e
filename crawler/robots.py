"""What a site's robots.txt lets us do, by RFC 9309."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache

from protego import Protego

from crawler.urls import parse, without_dots
from storage.records import Robots

MAX_BYTES = 500 * 1024
"""RFC 9309 section 2.5: a crawler must read at least this much."""

_OWN = "own"
_OTHER = "other"
_AGENT_LINE = re.compile(r"\s*user[- ]?agent\s*:(?P<name>[^#]*)", re.IGNORECASE)
_TOKEN = re.compile(r"[A-Za-z0-9_\-.]*")


def allows(robots: Robots, agent: str, url: str) -> bool:
    """Return whether `agent` (a whole User-Agent header) may fetch `url`, an address of the robots' own origin.

    Unreachable (5xx, no answer) disallows all, unavailable (4xx, or redirects without end) allows all (section 2.3.1).
    /robots.txt itself may always be fetched. A path is judged as the server will read it, without its dot segments:
    `/x/../private/` is `/private/` (RFC 3986 section 5.2.4). Raises ValueError if `url` is not http(s).
    """
    address = parse(url)
    path = without_dots(address.path)
    if path == "/robots.txt" or 300 <= robots.status < 500:
        return True
    if not 200 <= robots.status < 300:
        return False
    asked = f"{robots.origin}{path}" + (f"?{address.query}" if address.query else "")
    return bool(_rules(robots.body, product_token(agent)).can_fetch(asked, _OWN))


def crawl_delay(robots: Robots, agent: str) -> float | None:
    """Return the Crawl-delay for `agent` in seconds, an extension that RFC 9309 lacks; None if the file states none."""
    delay = _rules(robots.body, product_token(agent)).crawl_delay(_OWN) if _has_rules(robots) else None
    return None if delay is None else float(delay)


def sitemaps(robots: Robots) -> tuple[str, ...]:
    """Return the addresses on the file's Sitemap lines as they stand there, each once."""
    return tuple(dict.fromkeys(_rules(robots.body, "").sitemaps)) if _has_rules(robots) else ()


def lifetime(status: int) -> timedelta:
    """Return how long an answer holds: a day (section 2.4), ten minutes for none (status 0) or a 5xx."""
    return timedelta(hours=24) if 200 <= status < 500 else timedelta(minutes=10)


def product_token(agent: str) -> str:
    """Return the name that groups are matched with: the header's first word up to `/`, in lower case."""
    match = _TOKEN.match(agent.strip())
    return match[0].lower() if match else ""


def _has_rules(robots: Robots) -> bool:
    return 200 <= robots.status < 300


@lru_cache(maxsize=512)
def _rules(body: bytes, token: str) -> Protego:
    """Parse the file as seen by one crawler.

    Protego takes a group for ours if its name is part of ours. RFC 9309 section 2.2.1 wants the whole product token,
    so the names are replaced before it reads them.
    """
    return Protego.parse("\n".join(_renamed(line, token) for line in _text(body).splitlines()))


def _renamed(line: str, token: str) -> str:
    if not (match := _AGENT_LINE.match(line)):
        return line
    name = match["name"].strip()
    if name != "*":
        name = _OWN if token and product_token(name) == token else _OTHER
    return f"User-agent: {name}"


def _text(body: bytes) -> str:
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return body[:MAX_BYTES].decode("utf-16", "replace")
    if len(body) > MAX_BYTES:
        # Half a rule means something else than the whole: `Disallow: /private` cut after the slash forbids all.
        body = body[: body.rfind(b"\n", 0, MAX_BYTES) + 1]
    return body.decode("utf-8-sig", "replace")
