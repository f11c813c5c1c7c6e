"""The rules of WebSub (W3C Recommendation of 2018) for a subscriber: no network and no database in here."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from storage.records import Headers
from storage.subscriptions import ACTIVE, DENIED, Subscription

LEASE = timedelta(days=10)
"""What we ask for; a hub may give less."""
SHORTEST_LEASE, LONGEST_LEASE = timedelta(minutes=5), timedelta(days=90)
"""What is believed of the lease that a hub states."""
RENEW_AT = 0.1
"""The part of a lease that is left when it is renewed."""
RARER = 4
"""How many times longer the interval between polls is while pushes arrive."""
TRUSTED_FOR = timedelta(days=2)
"""A hub that has pushed nothing for so long makes polls no rarer: feeds of news have some in two days."""
_ANSWER_WITHIN = timedelta(hours=1)
"""A hub that was asked and did not verify in this time is asked again."""
_LONGEST_WAIT = timedelta(days=1)

_LINK = re.compile(r"<([^<>]*)>([^<>]*)")
_REL = re.compile(r"""\brel\s*=\s*(?:"([^"]*)"|([^\s;,]+))""", re.IGNORECASE)


def links_of(headers: Headers) -> dict[str, str]:
    """The addresses that Link headers name as `hub` and `self` (section 4: they go before those in the body)."""
    found: dict[str, str] = {}
    for name, value in headers:
        for target, parameters in _LINK.findall(value) if name.lower() == "link" else ():
            rel = _REL.search(parameters)
            for word in ((rel[1] or rel[2]) if rel else "").lower().split():
                if word in ("hub", "self"):
                    found.setdefault(word, target.strip())
    return found


def is_due(known: Subscription | None, hub: str, topic: str, now: datetime) -> bool:
    """Whether a hub is to be asked now: for the first time, for another topic, again, or for a new lease."""
    if known is None or (known.hub, known.topic) != (hub, topic):
        return True
    waited = now - known.asked_at
    if known.state == DENIED:
        return waited > LEASE
    if waited < min(_ANSWER_WITHIN * (1 << min(known.failures, 10)), _LONGEST_WAIT):
        return False
    if known.state == ACTIVE and known.lease_until and known.verified_at:
        return now > known.lease_until - RENEW_AT * (known.lease_until - known.verified_at)
    return True


def request_form(known: Subscription, callback: str) -> dict[str, str]:
    """What is posted to the hub (section 5.1)."""
    return {
        "hub.mode": "subscribe",
        "hub.topic": known.topic,
        "hub.callback": callback,
        "hub.secret": known.secret,
        "hub.lease_seconds": str(int(LEASE.total_seconds())),
    }


def callback_of(public_url: str, token: str) -> str:
    """The address at which the hub reaches us for one subscription."""
    return f"{public_url.rstrip('/')}/websub/{token}"


def lease_of(parameters: Mapping[str, str]) -> timedelta:
    """The lease that a hub states when it verifies; our own wish where it states none that makes sense."""
    text = parameters.get("hub.lease_seconds", "")
    stated = timedelta(seconds=int(text)) if text.isascii() and text.isdigit() and len(text) < 10 else LEASE
    return min(max(stated, SHORTEST_LEASE), LONGEST_LEASE)


def is_signed(secret: str, header: str | None, body: bytes) -> bool:
    """Whether X-Hub-Signature is that of the body (section 7.1): sha1, sha256, sha384 or sha512."""
    method, _, given = (header or "").strip().partition("=")
    if method.lower() not in ("sha1", "sha256", "sha384", "sha512"):
        return False
    made = hmac.new(secret.encode(), body, getattr(hashlib, method.lower())).hexdigest()
    return hmac.compare_digest(made, given.strip().lower())


def rarer(next_at: datetime, known: Subscription | None, now: datetime, *, most: timedelta) -> datetime:
    """When to poll next: later while pushes arrive, never by more than `most` from now, and before the lease is due."""
    if known is None or known.state != ACTIVE or known.lease_until is None or known.pushed_at is None:
        return next_at
    if known.lease_until <= now or now - known.pushed_at > TRUSTED_FOR or next_at <= now:
        return next_at
    later = min(now + RARER * (next_at - now), now + most, now + (known.lease_until - now) * (1 - RENEW_AT))
    return max(next_at, later)
