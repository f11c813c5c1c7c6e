"""Polling the due sources of a site: read the listing, commit what it names, and only then its validators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from crawler import outage
from crawler.answers import Answer, Trouble, failure, max_age, retry_after
from crawler.catchup import retry_gap, settle_gap
from crawler.crowding import FULL, with_room
from crawler.etiquette import Unprepared, manner_for
from crawler.extras import NO_BROWSER, can_render
from crawler.habits import TOPIC, Habits, after_poll, believes_304, dump, load
from crawler.interval import Plan, next_visit
from crawler.interval import Visit as Showed
from crawler.leads import leads_of
from crawler.rates import silence
from crawler.reading import read
from crawler.subscribing import keep_subscribed
from crawler.visit import Visit
from crawler.websub import rarer
from storage import events, memory, outages, pages, sources
from storage.archive import digest
from storage.database import Tx
from storage.masking import masked
from storage.records import Candidate, EventKind, Headers, Lead, Poll, Source, SourceKind, Via
from storage.subscriptions import Subscription

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
    learned: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What to remember of the source, by topic."""
    hub: str | None = None
    """A WebSub hub that the listing names, and the address that it gives as its own."""
    topic: str | None = None
    probe: bool = False
    """Whether it was asked without conditions to see if its 304s are true."""


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
    habits = load(await visit.bench.ledger.look(lambda tx: memory.recall(tx, source.id, TOPIC)))
    heard = await _blamed(visit, await _listen(visit, source, believed=believes_304(habits, started)))
    leads = leads_of(heard.candidates, source.config)
    fresh = await _commit_leads(visit, source, leads.kept)
    dropped = {**leads.dropped} | ({FULL: fresh.crowded_out} if fresh.crowded_out else {})
    entries = len(leads.kept)
    showed = _showed(visit, heard, entries, fresh.shown_first)
    lied = heard.probe and fresh.shown_first > 0 and await _lies(visit, source)
    habits = after_poll(habits, showed, _dates(leads.kept), lied=lied)
    plan = _plan(visit, source, showed, habits)
    pushed = await keep_subscribed(visit, source, heard.hub, heard.topic) if showed.succeeded else None
    plan = _rarer(visit, source, plan, pushed)
    notes = (*heard.notes, *_dropped(dropped))
    notes += (NO_BROWSER,) if source.config.render and heard.outcome != "no_browser" and not can_render() else ()
    notes += ("said 304 although there was news: no conditional requests for now",) if lied else ()
    notes += ("gap: no entry was known from the poll before",) if plan.gap else ()
    found = Poll(
        source_id=source.id,
        started_at=started,
        finished_at=visit.bench.now(),
        outcome=heard.outcome,
        status=heard.status,
        entries=entries,
        new=len(fresh.pages),
        note=masked("; ".join(notes))[:1000],
    )
    await visit.bench.ledger.do(lambda tx: _record(tx, source, heard, found, plan, habits))
    visit.bench.ledger.tally[f"poll_{heard.outcome}"] += 1
    visit.bench.ledger.tally.update({f"dropped_{reason}": count for reason, count in dropped.items()})
    told = {"source": source.config.name, "outcome": heard.outcome, "entries": entries, "new": len(fresh.pages)}
    visit.bench.ledger.tell({"polled": {**told, "gap": plan.gap, "note": found.note}})
    await _catch_up(visit, source, plan, showed)


def _rarer(visit: Visit, source: Source, plan: Plan, pushed: Subscription | None) -> Plan:
    """The plan, with a later poll while a hub brings the news; a schedule that the operator fixed stays."""
    if source.config.interval_s or source.config.cron:
        return plan
    most = timedelta(seconds=visit.bench.settings.max_interval_s)
    return replace(plan, next_at=rarer(plan.next_at, pushed, visit.bench.now(), most=most))


async def _catch_up(visit: Visit, source: Source, plan: Plan, showed: Showed) -> None:
    """After a gap, or while one is open, look in the sitemaps for what the listing no longer shows."""
    since = source.last_success_at
    if not showed.succeeded or since is None:
        return

    async def commit(candidates: Sequence[Candidate]) -> int:
        return len((await _commit_leads(visit, source, leads_of(candidates, source.config).kept)).pages)

    await (settle_gap if plan.gap else retry_gap)(visit, source, since, commit)


async def _blamed(visit: Visit, heard: Heard) -> Heard:
    """What was heard; a failure during an outage of our own is no fault of the source."""
    if heard.outcome in outage.SILENT and await visit.bench.ledger.look(outages.ongoing):
        return replace(heard, outcome="offline", notes=(*heard.notes, heard.outcome))
    return heard


async def _lies(visit: Visit, source: Source) -> bool:
    """Whether the server says 304 to the validators of a listing that has changed since."""
    headers = (*manner_for(visit, source.config).headers, *_conditions(source))
    answer = await visit.reach(source.config.url, headers=headers, anywhere=True)
    return isinstance(answer, Answer) and answer.status == 304


async def _listen(visit: Visit, source: Source, *, believed: bool) -> Heard:
    config = source.config
    if config.kind is SourceKind.PAGE:  # the page itself is what is wanted: nothing has to be listed
        return Heard(outcome="ok", candidates=(Candidate(url=config.url, via=Via.MANUAL),))
    # a page that scripts fill is the same file before and after the news
    believed = believed and not (config.render and config.kind in (SourceKind.AUTO, SourceKind.SECTION))
    try:
        headers = (*manner_for(visit, config).headers, *(_conditions(source) if believed else ()))
    except Unprepared as error:
        return Heard(outcome=error.code, notes=(error.detail,))
    answer = await visit.reach(config.url, headers=headers, anywhere=True, render=config.render)
    if isinstance(answer, Trouble):
        return Heard(outcome=answer.code, status=answer.status, notes=(answer.detail,) if answer.detail else ())
    moved = () if answer.url == config.url else (f"redirected to {answer.url}",)
    if answer.status == 304 and (source.etag or source.last_modified):
        kept = _renewed(answer, source)
        return Heard(outcome="not_modified", status=304, notes=moved, validators=kept, ttl_s=max_age(answer))
    if code := failure(answer):
        wait = retry_after(answer.header("retry-after"), answer.at)
        seconds = wait.total_seconds() if wait else None
        return Heard(outcome=code, status=answer.status, retry_after_s=seconds, notes=moved)
    found = await _read(visit, source, answer, moved)
    return replace(found, probe=not believed and bool(_conditions(source)))


async def _read(visit: Visit, source: Source, answer: Answer, moved: tuple[str, ...]) -> Heard:
    found = await read(visit, source, answer)
    validators = Validators(body_digest=digest(answer.body))
    if found.whole:
        validators = replace(validators, etag=answer.header("etag"), last_modified=answer.header("last-modified"))
    return Heard(
        outcome=found.outcome,
        status=answer.status,
        candidates=found.candidates,
        validators=validators,
        ttl_s=max(found.ttl_s or 0.0, max_age(answer) or 0.0) or None,
        notes=(*moved, *found.notes),
        hub=found.hub,
        topic=found.topic,
        learned=found.learned,
    )


def _conditions(source: Source) -> Headers:
    """The header that makes the request conditional, the validator as the server sent it (RFC 9110 section 13.1).

    A date is sent only where there is no ETag: it is the weaker of the two, and servers compare it letter by letter.
    """
    if source.etag:
        return (("If-None-Match", source.etag),)
    return (("If-Modified-Since", source.last_modified),) if source.last_modified else ()


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
    crowded_out: int = 0
    """Addresses that were left out because too many pages of their site wait already."""


async def _commit_leads(visit: Visit, source: Source, leads: Sequence[Lead]) -> _Fresh:
    fresh = _Fresh()
    for part in _parts(leads):
        found = await visit.bench.ledger.do(
            partial(_discover, source, part, visit.bench.now(), visit.bench.settings.waiting_per_site)
        )
        shown, out = fresh.shown_first + found.shown_first, fresh.crowded_out + found.crowded_out
        fresh = _Fresh(pages=fresh.pages | found.pages, shown_first=shown, crowded_out=out)
    return fresh


def _parts(leads: Sequence[Lead]) -> Iterator[Sequence[Lead]]:
    for start in range(0, len(leads), _LEADS_AT_ONCE):
        yield leads[start : start + _LEADS_AT_ONCE]


def _discover(source: Source, leads: Sequence[Lead], now: datetime, most: int, tx: Tx) -> _Fresh:
    taken = with_room(tx, leads, most=most)
    keys = {lead.key for lead in taken}
    shown = pages.shown_by(tx, source.id, keys)
    found = pages.discover(tx, source.id, taken, now, priority=source.config.priority)
    if source.config.kind is SourceKind.PAGE:
        known = [page.id for key in keys if (page := pages.find(tx, key)) and page.id not in found.new]
        pages.refetch(tx, known, now)
    out = len(leads) - len(taken)
    return _Fresh(pages=frozenset(found.new), shown_first=len(keys) - shown, crowded_out=out)


def _showed(visit: Visit, heard: Heard, entries: int, new: int) -> Showed:
    facts = {"outcome": heard.outcome, "ttl_s": heard.ttl_s, "retry_after_s": heard.retry_after_s}
    return Showed(at=visit.bench.now(), entries=entries, new=new, **facts)  # type: ignore[arg-type]


def _dates(leads: Sequence[Lead]) -> list[datetime]:
    return [lead.candidate.hints.published_at for lead in leads if lead.candidate.hints.published_at]


def _plan(visit: Visit, source: Source, showed: Showed, habits: Habits) -> Plan:
    least, most = visit.bench.settings.min_interval_s, visit.bench.settings.max_interval_s
    return next_visit(source, showed, min_s=least, max_s=most, now=showed.at, habits=habits.rates)


def _record(tx: Tx, source: Source, heard: Heard, found: Poll, plan: Plan, habits: Habits) -> None:
    kept = heard.validators if heard.outcome in ("ok", "not_modified") else _known(source)
    if sources.by_id(tx, source.id).config.url != source.config.url:
        kept = Validators()  # it was given another address meanwhile, of which these say nothing
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
    for topic, value in heard.learned.items():
        memory.remember(tx, source.id, topic, value)
    if heard.outcome in ("ok", "not_modified"):
        memory.remember(tx, source.id, TOPIC, dump(habits))
        _note_silence(tx, source, habits, found.finished_at)
    outage.note_poll(tx, heard.outcome, found.finished_at)


def _note_silence(tx: Tx, source: Source, habits: Habits, now: datetime) -> None:
    missing, since = silence(habits.rates, now), habits.rates.fresh_at
    if missing is None or since is None:
        events.end(tx, EventKind.QUIET, now, source.id)
    else:
        told = f"nothing new since {since:%Y-%m-%d %H:%M} UTC, where about {missing:.0f} items are usual"
        events.begin(tx, EventKind.QUIET, told, now, source.id)


def _dropped(dropped: Mapping[str, int]) -> tuple[str, ...]:
    parts = ", ".join(f"{count} {reason}" for reason, count in sorted(dropped.items()))
    return (f"dropped {parts}",) if parts else ()
