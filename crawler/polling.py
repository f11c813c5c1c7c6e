"""Polling the due sources of a site: read the listing, commit what it names, and only then its validators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from crawler.answers import Answer, Trouble, failure, retry_after
from crawler.discovery import Listing
from crawler.interval import Plan, next_visit
from crawler.interval import Visit as Showed
from crawler.leads import leads_of
from crawler.listing import read_listing
from crawler.sitemap_walk import walk
from crawler.visit import Visit
from storage import pages, sources
from storage.archive import digest
from storage.database import Tx
from storage.errors import DiscoveryError
from storage.records import Candidate, Headers, Lead, Poll, Source, SourceKind, Via

_LEADS_AT_ONCE = 1000
"""In one transaction: a sitemap of 50,000 addresses must not keep all other writers waiting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """What the next conditional request carries, as the server sent it, and the digest of the body it stands for."""

    etag: str | None = None
    last_modified: str | None = None
    body_digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What one poll brought, before it is written down."""

    outcome: str
    status: int | None = None
    candidates: tuple[Candidate, ...] = ()
    validators: Validators = Validators()
    ttl_s: float | None = None
    retry_after_s: float | None = None
    notes: tuple[str, ...] = ()


async def poll_sources(visit: Visit) -> None:
    """Poll what is due, the most overdue first, until the turn is over."""
    now, site = visit.bench.now(), visit.site.key
    for source in await visit.bench.ledger.look(lambda tx: sources.due(tx, site, now)):
        if visit.over:
            return
        await poll(visit, source)


async def poll(visit: Visit, source: Source) -> None:
    """Poll one source and write down all that follows."""
    started = visit.bench.now()
    heard = await _listen(visit, source)
    leads = leads_of(heard.candidates, source.config)
    notes = (*heard.notes, *_dropped(leads.dropped))
    fresh = await _commit_leads(visit, source, leads.kept)
    entries = len(leads.kept)
    plan = _plan(visit, source, heard, entries, fresh.shown_first)
    notes += ("gap: no entry was known from the poll before",) if plan.gap else ()
    found = Poll(
        source_id=source.id,
        started_at=started,
        finished_at=visit.bench.now(),
        outcome=heard.outcome,
        status=heard.status,
        entries=entries,
        new=len(fresh.pages),
        note="; ".join(notes)[:1000],
    )
    await visit.bench.ledger.do(lambda tx: _record(tx, source, heard, found, plan))
    visit.bench.ledger.tally[f"poll_{heard.outcome}"] += 1
    told = {"source": source.config.name, "outcome": heard.outcome, "entries": entries, "new": len(fresh.pages)}
    visit.bench.ledger.tell({"polled": {**told, "gap": plan.gap, "note": found.note}})


async def _listen(visit: Visit, source: Source) -> Heard:
    config = source.config
    if config.kind is SourceKind.PAGE:  # the page itself is what is wanted: nothing has to be listed
        return Heard(outcome="ok", candidates=(Candidate(url=config.url, via=Via.MANUAL),))
    answer = await visit.reach(config.url, headers=_conditions(source), anywhere=True)
    if isinstance(answer, Trouble):
        return Heard(outcome=answer.code, status=answer.status, notes=(answer.detail,) if answer.detail else ())
    moved = () if answer.url == config.url else (f"redirected to {answer.url}",)
    if answer.status == 304 and (source.etag or source.last_modified):
        return Heard(outcome="not_modified", status=304, notes=moved, validators=_renewed(answer, source))
    if code := failure(answer):
        wait = retry_after(answer.header("retry-after"), answer.at)
        seconds = wait.total_seconds() if wait else None
        return Heard(outcome=code, status=answer.status, retry_after_s=seconds, notes=moved)
    return await _read(visit, source, answer, moved)


async def _read(visit: Visit, source: Source, answer: Answer, moved: tuple[str, ...]) -> Heard:
    try:
        listing = await read_listing(answer, source.config.kind)
    except DiscoveryError as error:
        return Heard(outcome=error.code, status=answer.status, notes=(*moved, error.detail))
    candidates, notes = listing.candidates, (*moved, *_remarks(listing))
    outcome, validators = "ok", Validators(body_digest=digest(answer.body))
    if listing.children:
        found = await walk(visit, listing, seen={source.config.url, answer.url}, since=source.last_success_at)
        candidates, notes = (*candidates, *found.candidates), (*notes, *found.notes)
        outcome = "incomplete" if found.incomplete else "ok"
    elif not listing.truncated:
        # not for an index, which may be unchanged when its files are not, nor for half a listing
        validators = replace(validators, etag=answer.header("etag"), last_modified=answer.header("last-modified"))
    return Heard(
        outcome=outcome,
        status=answer.status,
        candidates=candidates,
        validators=validators,
        ttl_s=listing.ttl_s,
        notes=notes,
    )


def _conditions(source: Source) -> Headers:
    """Headers that make the request conditional, the validators as the server sent them (RFC 9110 section 13.1)."""
    conditions = (("If-None-Match", source.etag), ("If-Modified-Since", source.last_modified))
    return (*source.config.headers, *((name, value) for name, value in conditions if value))


def _known(source: Source) -> Validators:
    return Validators(etag=source.etag, last_modified=source.last_modified, body_digest=source.body_digest)


def _renewed(answer: Answer, source: Source) -> Validators:
    """The validators after a 304, which may renew them and need not repeat them."""
    etag, modified = answer.header("etag") or source.etag, answer.header("last-modified") or source.last_modified
    return replace(_known(source), etag=etag, last_modified=modified)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fresh:
    pages: frozenset[int] = frozenset()
    """Pages that nobody had seen before."""
    shown_first: int = 0
    """Addresses that this source had not shown before."""


async def _commit_leads(visit: Visit, source: Source, leads: Sequence[Lead]) -> _Fresh:
    fresh = _Fresh()
    for part in _parts(leads):
        found = await visit.bench.ledger.do(partial(_discover, source, part, visit.bench.now()))
        fresh = _Fresh(pages=fresh.pages | found.pages, shown_first=fresh.shown_first + found.shown_first)
    return fresh


def _parts(leads: Sequence[Lead]) -> Iterator[Sequence[Lead]]:
    for start in range(0, len(leads), _LEADS_AT_ONCE):
        yield leads[start : start + _LEADS_AT_ONCE]


def _discover(source: Source, leads: Sequence[Lead], now: datetime, tx: Tx) -> _Fresh:
    keys = {lead.key for lead in leads}
    shown = pages.shown_by(tx, source.id, keys)
    found = pages.discover(tx, source.id, leads, now, priority=source.config.priority)
    if source.config.kind is SourceKind.PAGE:
        known = [page.id for key in keys if (page := pages.find(tx, key)) and page.id not in found.new]
        pages.refetch(tx, known, now)
    return _Fresh(pages=frozenset(found.new), shown_first=len(keys) - shown)


def _plan(visit: Visit, source: Source, heard: Heard, entries: int, new: int) -> Plan:
    now, settings = visit.bench.now(), visit.bench.settings
    showed = Showed(
        at=now,
        outcome=heard.outcome,
        entries=entries,
        new=new,
        ttl_s=heard.ttl_s,
        retry_after_s=heard.retry_after_s,
    )
    return next_visit(source, showed, min_s=settings.min_interval_s, max_s=settings.max_interval_s, now=now)


def _record(tx: Tx, source: Source, heard: Heard, found: Poll, plan: Plan) -> None:
    kept = heard.validators if heard.outcome in ("ok", "not_modified") else _known(source)
    sources.polled(
        tx,
        found,
        next_at=plan.next_at,
        interval_s=plan.interval_s,
        failures=plan.failures,
        etag=kept.etag,
        last_modified=kept.last_modified,
        body_digest=kept.body_digest,
    )


def _dropped(dropped: Mapping[str, int]) -> tuple[str, ...]:
    parts = ", ".join(f"{count} {reason}" for reason, count in sorted(dropped.items()))
    return (f"dropped {parts}",) if parts else ()


def _remarks(listing: Listing) -> tuple[str, ...]:
    counted = (("unusable", listing.unusable), ("over the limit", listing.surplus))
    remarks = [f"{count} entries {what}" for what, count in counted if count]
    remarks += ["truncated"] if listing.truncated else []
    remarks += [f"feeds: {', '.join(listing.feeds[:5])}"] if listing.feeds else []
    return tuple(remarks)
