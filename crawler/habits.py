"""What the schedule remembers of a source between polls: its rates and how far its 304s are trusted, as JSON."""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from crawler import rates, trust
from crawler.interval import Visit
from crawler.rates import WEEK_H, Rates
from crawler.trust import Trust
from storage.records import Record

TOPIC = "schedule"
"""The topic under which `storage.memory` keeps it."""

_NUMBERS = struct.Struct(f"<{2 * WEEK_H}e")
"""Half-precision floats: 3 digits are plenty for counts that fade, and a source takes a kilobyte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits(Record):
    """What was learned of a source."""

    rates: Rates = Rates()
    trust: Trust = Trust()


def load(value: Mapping[str, Any]) -> Habits:
    """The habits that `dump` wrote; none of an empty value."""
    if not value:
        return Habits()
    numbers = _NUMBERS.unpack(base64.b85decode(value["counts"]))
    facts = {name: value[name] for name in ("window", "spread", "pulse", "missing")}
    times = {name: _time(value[name]) for name in ("learned_at", "fresh_at")}
    known = Rates(items=numbers[:WEEK_H], hours=numbers[WEEK_H:], **facts, **times)  # type: ignore[arg-type]
    belief = Trust(proven=value["proven"], unread=value["unread"], broken_at=_time(value["broken_at"]))
    return Habits(rates=known, trust=belief)


def dump(habits: Habits) -> dict[str, Any]:
    """The habits as JSON."""
    known, belief = habits.rates, habits.trust
    counts = (*known.items, *known.hours)
    return {
        "counts": base64.b85encode(_NUMBERS.pack(*(min(number, 65_000.0) for number in counts))).decode(),
        **{name: round(getattr(known, name), 3) for name in ("window", "spread", "pulse", "missing")},
        **{name: _text(getattr(known, name)) for name in ("learned_at", "fresh_at")},
        "proven": belief.proven,
        "unread": belief.unread,
        "broken_at": _text(belief.broken_at),
    }


def believes_304(habits: Habits, now: datetime) -> bool:
    """Whether the next request may be conditional."""
    since = habits.rates.learned_at
    missing = rates.expected(habits.rates, since, now) if since else 0.0
    return trust.conditional(habits.trust, missing, now)


def after_poll(habits: Habits, visit: Visit, dates: Sequence[datetime] = (), *, lied: bool = False) -> Habits:
    """What is known after a poll. `dates` are the publication times of entries; `lied`: the server was caught."""
    if visit.outcome == "not_modified":
        return replace(habits, trust=trust.after_304(habits.trust))
    if visit.outcome != "ok":
        return habits
    belief = trust.caught(habits.trust, visit.at) if lied else trust.after_read(habits.trust)
    known = rates.learn(habits.rates, until=visit.at, entries=visit.entries, new=visit.new, dates=dates)
    return Habits(rates=known, trust=belief)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
