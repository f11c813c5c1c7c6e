"""Whether a server's 304 is believed: per feed, only while it proves honest (RFC 9110 section 13)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from storage.records import Record

SUSPICIOUS = 3.0
"""Items to be expected since the last whole listing above which a 304 is not believed: one chance in twenty."""
FORGIVEN_AFTER = timedelta(days=30)
"""A server that was caught gets another chance: its software may have been mended."""

_FIRST, _MOST = 4, 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust(Record):
    """What is known of a feed's validators."""

    proven: int = 0
    """Looks in a row at the whole listing that found the server's 304s true."""
    unread: int = 0
    """Answers 304 since the listing was last read whole."""
    broken_at: datetime | None = None
    """When it said 304 although its listing had changed."""


def conditional(trust: Trust, missing: float, now: datetime) -> bool:
    """Whether the next request may be conditional.

    Not where the server was caught, nor where a look is due: after four 304s in a row, later eight, up to 64, or when
    so many items are `missing` since the last whole listing that another 304 could hardly be true.
    """
    if trust.broken_at is not None and now - trust.broken_at < FORGIVEN_AFTER:
        return False
    return trust.unread < min(_FIRST << trust.proven, _MOST) and missing < SUSPICIOUS


def after_304(trust: Trust) -> Trust:
    """What is known after one more 304."""
    return replace(trust, unread=trust.unread + 1)


def after_read(trust: Trust) -> Trust:
    """What is known after the listing was read whole and no lie was found."""
    return replace(trust, proven=min(trust.proven + (trust.unread > 0), 8), unread=0)


def caught(trust: Trust, now: datetime) -> Trust:
    """What is known after the server said 304 to validators of a listing that has changed since."""
    return replace(trust, proven=0, unread=0, broken_at=now)
