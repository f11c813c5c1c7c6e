"""Questions about the store as a whole that only people ask: read-only SQL, no rules of its own."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, func, or_, select, union_all

from crawler.urls import canonical_key
from storage import pages, reading
from storage.records import Article, Page, PageState
from storage.store import Store
from storage.tables import page, poll, site, snapshot, source


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many pages came to the same end, with one of them as an example."""

    disposition: str
    reason: str
    count: int
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedPoll:
    """A poll that brought nothing because it failed."""

    source: str
    outcome: str
    status: int | None
    note: str


def key_of(address: str) -> str:
    """The canonical key of what a person typed; an address of no web page is its own key."""
    try:
        return canonical_key(address)
    except ValueError:
        return address


def page_at(tx: Connection, address: str) -> Page | None:
    """The page at an address as typed or by its canonical key, where redirects across sites lead."""
    for key in (key_of(address), address):
        found = pages.find(tx, pages.leads_to(tx, key)[-1]) or pages.find(tx, key)
        if found is not None:
            return found
    return None


def waiting_pages(store: Store, at: datetime) -> int:
    """How many pages wait to be fetched or processed at that time."""
    to_fetch = and_(page.c.state == PageState.DISCOVERED, page.c.next_at <= at)
    with store.reading() as tx:
        query = select(func.count()).select_from(page).where(or_(to_fetch, page.c.state == PageState.FETCHED))
        return tx.execute(query).scalar_one()


def article_at(tx: Connection, address: str) -> Article | None:
    """The article filed under an address, or the one that the page there became or repeats."""
    filed = reading.at(tx, key_of(address)) or reading.at(tx, address)
    if filed is not None:
        return filed
    found = page_at(tx, address)
    return reading.get(tx, found.article_id) if found and found.article_id else None


def leases(tx: Connection, now: datetime) -> int:
    """How many sites somebody works on at this moment."""
    return int(tx.execute(select(func.count()).select_from(site).where(site.c.lease_until >= now)).scalar_one())


def packed(tx: Connection) -> int:
    """How many bodies are in the archive."""
    query = select(func.count()).select_from(snapshot).where(snapshot.c.archive_file.is_not(None))
    return int(tx.execute(query).scalar_one())


def tallies(tx: Connection, since: datetime) -> list[Tally]:
    """What became of the pages that were done at or after that time, by disposition and reason."""
    chosen = (page.c.state == PageState.DONE, page.c.done_at >= since)
    by = (page.c.disposition, page.c.reason)
    query = select(*by, func.count(), func.min(page.c.url)).where(*chosen).group_by(*by).order_by(*by)
    return [Tally(disposition=a, reason=b or "", count=int(n), example=url) for a, b, n, url in tx.execute(query)]


def failed_polls(tx: Connection, since: datetime) -> list[FailedPoll]:
    """The polls that failed at or after that time."""
    query = select(source.c.name, poll.c.outcome, poll.c.status, poll.c.note).join(source)
    failed = query.where(poll.c.started_at >= since, poll.c.outcome.not_in(("ok", "not_modified")))
    return [FailedPoll(source=a, outcome=b, status=c, note=d) for a, b, c, d in tx.execute(failed.order_by(poll.c.id))]


def sites_of(tx: Connection, source_ids: Collection[int]) -> set[str]:
    """The sites on which sources have work: their own, and those of the pages they listed that wait."""
    own = select(source.c.site).where(source.c.id.in_(source_ids))
    listed = select(page.c.site).where(page.c.source_id.in_(source_ids), page.c.state == PageState.DISCOVERED)
    return set(tx.execute(own.union(listed)).scalars())


def next_work(tx: Connection, sites: Collection[str] | None, started: datetime) -> datetime | None:
    """When the earliest work on these sites (None: on all) can be done: its time, its site's block, another's lease.

    A source that was polled with success since `started` has had its turn; one whose poll failed has not.
    """
    unpolled = or_(source.c.last_success_at.is_(None), source.c.last_success_at < started)
    alive = (source.c.paused.is_(False), source.c.removed_at.is_(None), source.c.next_at.is_not(None))
    polls = select(source.c.site, func.min(source.c.next_at).label("at")).where(unpolled, *alive)
    waits = select(page.c.site, func.min(page.c.next_at).label("at")).where(
        page.c.state == PageState.DISCOVERED, page.c.next_at.is_not(None)
    )
    due = union_all(polls.group_by(source.c.site), waits.group_by(page.c.site)).subquery()
    query = select(due.c.at, site.c.blocked_until, site.c.lease_until).join(site, site.c.key == due.c.site)
    if sites is not None:
        query = query.where(site.c.key.in_(sites))
    return min((max(time for time in row if time is not None) for row in tx.execute(query)), default=None)


def source_names(tx: Connection) -> dict[int, str]:
    """The name of every source that ever was, by id."""
    return {row.id: row.name for row in tx.execute(select(source.c.id, source.c.name))}


def duplicates_of(tx: Connection, article_id: int) -> list[dict[str, str]]:
    """The other pages that repeat an article, and why they count as that."""
    query = select(page.c.url, page.c.reason).where(page.c.article_id == article_id, page.c.disposition == "duplicate")
    return [{"url": row.url, "reason": row.reason} for row in tx.execute(query.order_by(page.c.id))]


def waiting(tx: Connection) -> list[int]:
    """The pages that wait to be fetched."""
    return list(tx.execute(select(page.c.id).where(page.c.state == PageState.DISCOVERED).order_by(page.c.id)).scalars())
