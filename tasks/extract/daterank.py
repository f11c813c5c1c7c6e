"""Which of a page's dates is the article's: places that agree gain, lists and dates of changes lose."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from storage.records import Precision
from tasks.extract.datecandidate import Candidate

_FIRM = 0.85
"""Confidence from which a place needs no other to agree."""
_AGREED = 0.08
_CLEAR = 0.55
_VAGUE = 0.7
_CHANGED = 0.3
_LISTED = 0.15
_LIST = 3
"""Days that one kind of element shows from which it is the kind that a list repeats."""
_DECLARED = frozenset(("jsonld", "meta", "feed", "url"))
_EDITION = 0.96
"""Confidence in the first edition's day: above all that pages declare, below what a recipe says."""
_REISSUED = timedelta(days=2)


def ranked(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Best first; of those that name the best's day, one with a clock time goes before a bare day."""
    listed = [*candidates]
    best = sorted((_supported(c, listed) for c in listed), key=lambda c: -c.finding.confidence)
    if best and best[0].precision is Precision.DAY:
        day = best[0].finding.value
        finer = [
            c
            for c in best
            if c.precision is not Precision.DAY
            and timedelta() <= c.finding.value - day < timedelta(days=1)
            and c.finding.confidence >= _CLEAR
        ]
        best = [*finer[:1], *(c for c in best if c not in finer[:1])]
    return best


def told_apart(published: list[Candidate], modified: list[Candidate]) -> list[Candidate]:
    """The published dates, with less trust in those of lists, of the last change and of a later edition."""
    return _first_edition(_unchanged(_unlisted(published), modified))


def _unlisted(published: list[Candidate]) -> list[Candidate]:
    """Trust elements of one look that show several days less: a list of other stories has a date for each."""
    days: dict[str, set[date]] = {}
    for candidate in published:
        if candidate.place:
            days.setdefault(candidate.place, set()).add(candidate.day)
    return [c.trusted(-_LISTED) if len(days.get(c.place, ())) >= _LIST else c for c in published]


def _unchanged(published: list[Candidate], modified: list[Candidate]) -> list[Candidate]:
    """Trust a vague publication date less that is the date of the last change, if others tell them apart."""
    changed = {candidate.finding.value for candidate in modified}
    if not any(c.finding.value not in changed and c.finding.confidence >= _CLEAR for c in published):
        return published
    return [
        c.trusted(-_CHANGED) if c.finding.value in changed and c.finding.confidence < _VAGUE else c for c in published
    ]


def _first_edition(published: list[Candidate]) -> list[Candidate]:
    """Believe the one earlier day beside the headline: what a page declares is often when it was issued anew."""
    shown = {c.day for c in published if c.near}
    declared = {c.day for c in published if c.kind in _DECLARED}
    if len(shown) != 1 or not declared or not min(shown) < min(declared) - _REISSUED:
        return published
    return [c.trusted(_EDITION - c.finding.confidence) if c.near else c for c in published]


def _supported(candidate: Candidate, all_of_them: list[Candidate]) -> Candidate:
    """A candidate of a visible or loose place gains by each other kind of place that names its day."""
    trust = candidate.finding.confidence
    if trust >= _FIRM:
        return candidate.trusted(0.0)
    kinds = {c.kind for c in all_of_them if c.day == candidate.day} - {candidate.kind}
    return candidate.trusted(min(_AGREED * len(kinds), _FIRM - 0.01 - trust))
