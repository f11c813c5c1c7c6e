"""Looking at articles again, ever more rarely, so that corrections are seen: within a budget, after all fresh pages."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from crawler.answers import Answer, Trouble, failure, is_text
from crawler.challenges import is_challenge
from crawler.etiquette import Unprepared, is_rendered, manner_for
from crawler.extras import can_render
from crawler.visit import Visit
from storage import pages, snapshots
from storage.archive import digest
from storage.database import Tx
from storage.records import Headers, Page, Sighting, Snapshot

AGES = tuple(timedelta(minutes=minutes) for minutes in (30, 120, 480, 1440, 4320, 10080))
"""How long after its publication an article is looked at again: most corrections come within hours."""
BUDGET = 20
"""Looks at one site in one turn."""
PAUSE = timedelta(minutes=15)
"""How long those above the budget wait."""

_GONE = frozenset({"http_404", "http_410", "http_451", "other_site"})


def next_recheck(born: datetime, now: datetime, page_id: int) -> datetime | None:
    """When an article published (or first seen) at `born` is to be looked at next; None when it is old enough.

    Up to a tenth of its age is added, by a hash of the page: what was published together is not asked for together.
    """
    share = int.from_bytes(hashlib.blake2b(str(page_id).encode(), digest_size=4).digest()) / 2**32
    return next((at for age in AGES if (at := born + age * (1 + 0.1 * share)) > now), None)


def first_recheck(page: Page, seen: Sequence[Sighting], now: datetime) -> datetime | None:
    """When a page that was just fetched is to be looked at again; never for a backfill's, whose priority is below 0."""
    if page.priority < 0:
        return None
    return next_recheck(_born(page, seen), now, page.id)


async def recheck_pages(visit: Visit) -> None:
    """Look again at the articles of the site whose time has come, up to BUDGET; the others wait a while."""
    ledger, site, now = visit.bench.ledger, visit.site.key, visit.bench.now()
    if not visit.bench.settings.recheck:
        if await ledger.look(lambda tx: pages.to_recheck(tx, site, now, 1)):
            await ledger.do(lambda tx: pages.put_off_rechecks(tx, site, now, None))
        return
    due = [] if visit.over else await ledger.look(lambda tx: pages.to_recheck(tx, site, now, BUDGET))
    for page in due:
        if visit.over:
            break
        await _recheck(visit, page)
    if due:
        await ledger.flush()
        await ledger.do(lambda tx: pages.put_off_rechecks(tx, site, now, now + PAUSE))


async def _recheck(visit: Visit, page: Page) -> None:
    known, seen = await visit.bench.ledger.look(lambda tx: _known(tx, page))
    try:
        manner = manner_for(visit, visit.configs.get(page.source_id))
    except Unprepared:
        return
    render = await is_rendered(visit, page.source_id)
    if render and not can_render():
        return
    # a page that scripts fill is the same file before and after a correction
    headers = manner.headers if render else (*manner.headers, *_conditions(known))
    answer = await visit.reach(page.fetch_url, headers=headers, only_pages=True, render=render)
    now = visit.bench.now()
    work, changed = _verdict(page, known, seen, answer, now)
    await visit.bench.ledger.add(work, fetched=page.id if changed else None)


def _known(tx: Tx, page: Page) -> tuple[Snapshot | None, list[Sighting]]:
    known = snapshots.get(tx, page.snapshot_id) if page.snapshot_id else None
    return known, pages.sightings(tx, page.id)


def _verdict(
    page: Page, known: Snapshot | None, seen: Sequence[Sighting], answer: Answer | Trouble, now: datetime
) -> tuple[Callable[[Tx], str], bool]:
    """What to write, and whether there is something new to be processed."""
    then = next_recheck(_born(page, seen), now, page.id)
    if isinstance(answer, Answer) and _unchanged(answer, known):
        return lambda tx: _looked(tx, page, now, then, "rechecked_unchanged"), False
    code = answer.code if isinstance(answer, Trouble) else failure(answer)
    if code in _GONE:
        return lambda tx: _ask_again(tx, page, now, then), False
    if isinstance(answer, Trouble) or code or is_challenge(answer) or not is_text(answer):
        return lambda tx: _looked(tx, page, now, then, "rechecked_in_vain"), False

    def keep(tx: Tx) -> str:
        exchange = answer.exchange()
        pages.fetched(tx, page.id, snapshots.keep(tx, page.id, exchange), exchange.fetched_at, recheck_at=then)
        return "rechecked_changed"

    return keep, True


def _looked(tx: Tx, page: Page, now: datetime, then: datetime | None, word: str) -> str:
    pages.rechecked(tx, page.id, now, then, unchanged=word == "rechecked_unchanged")
    return word


def _ask_again(tx: Tx, page: Page, now: datetime, then: datetime | None) -> str:
    """It seems to be gone: it waits to be fetched in the ordinary way, which knows what follows from that."""
    pages.rechecked(tx, page.id, now, then)
    pages.refetch(tx, [page.id], now)
    return "rechecked_gone"


def _unchanged(answer: Answer, known: Snapshot | None) -> bool:
    return known is not None and (
        answer.status == 304 or (answer.status == 200 and digest(answer.body) == known.digest)
    )


def _conditions(known: Snapshot | None) -> Headers:
    """The condition that the page has changed since its last snapshot (RFC 9110 section 13.1)."""
    found = {name.lower(): value for name, value in reversed(known.headers)} if known else {}
    if etag := found.get("etag"):
        return (("If-None-Match", etag),)
    modified = found.get("last-modified")
    return (("If-Modified-Since", modified),) if modified else ()


def _born(page: Page, seen: Sequence[Sighting]) -> datetime:
    """When it was published, as the listings say, or else first seen; nobody publishes after we have seen it."""
    told = [one.hints.published_at for one in seen if one.hints.published_at]
    return min([*told, page.discovered_at])
