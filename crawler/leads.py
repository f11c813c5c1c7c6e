"""From what a listing names to what the store can take: canonical keys, sites, and the source's own filters."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from crawler.addresses import LOGIN_IN_URL, has_login
from crawler.traps import Budget, trap_of
from crawler.urls import canonical_key, site_of
from storage.records import Candidate, Lead, SourceConfig

_LONGEST_KEY = 2000
"""Characters. Longer addresses are made by broken templates and traps, and no index takes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leads:
    """The candidates that are left, and how many were dropped by reason."""

    kept: tuple[Lead, ...]
    dropped: Mapping[str, int]


def leads_of(candidates: Iterable[Candidate], config: SourceConfig) -> Leads:
    """Key and filter candidates. A source's patterns are searched in the address as listed.

    Reasons of a drop: `bad_url`, `login_in_url`, `long_url`, `not_included`, `excluded`, and those of traps.
    """
    include, exclude = _patterns(config.include), _patterns(config.exclude)
    kept: list[Lead] = []
    dropped: Counter[str] = Counter()
    budget = Budget()
    for candidate in candidates:
        found = _lead(candidate, include, exclude)
        if isinstance(found, Lead):
            found = budget.over(found.key, candidate.via) or found
        if isinstance(found, Lead):
            kept.append(found)
        else:
            dropped[found] += 1
    return Leads(kept=tuple(kept), dropped=dict(dropped))


def lead_of(candidate: Candidate) -> Lead | str:
    """The lead for one candidate, or the reason why there is none."""
    return _lead(candidate, (), ())


def _lead(
    candidate: Candidate, include: tuple[re.Pattern[str], ...], exclude: tuple[re.Pattern[str], ...]
) -> Lead | str:
    if has_login(candidate.url):
        return LOGIN_IN_URL
    try:
        key, site = canonical_key(candidate.url), site_of(candidate.url)
    except ValueError:
        return "bad_url"
    if len(key) > _LONGEST_KEY or len(candidate.url) > 2 * _LONGEST_KEY:
        return "long_url"
    reason = _unwanted(candidate.url, include, exclude) or trap_of(key, candidate.via)
    return reason or Lead(key=key, site=site, candidate=candidate)


def _unwanted(url: str, include: tuple[re.Pattern[str], ...], exclude: tuple[re.Pattern[str], ...]) -> str | None:
    if include and not any(pattern.search(url) for pattern in include):
        return "not_included"
    return "excluded" if any(pattern.search(url) for pattern in exclude) else None


def _patterns(texts: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(text) for text in texts)
