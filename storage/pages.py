"""Pages as rows: each address once, in exactly one state, and done with exactly one disposition."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Select, and_, bindparam, case, desc, func, literal, null, or_, select, true, update

from storage import sites
from storage.codec import from_plain, to_plain
from storage.columns import Utc
from storage.database import Tx, chunks, insert, skip_locked
from storage.errors import NotFound
from storage.records import Discovered, Disposition, Hints, Lead, Page, PageState, Sighting
from storage.tables import page, sighting

_FETCHED = (
    update(page)
    .where(page.c.id == bindparam("of"))
    .values(state=PageState.FETCHED, disposition=None, attempts=0, announced_at=None, next_at=None)
    .values({name: bindparam(name) for name in ("snapshot_id", "fetched_at", "recheck_at")})
)
ERASED = "erased"
"""The reason of pages whose article was erased on request: they are never fetched again, and no hint is kept."""


def discover(
    tx: Tx, source_id: int, leads: Sequence[Lead], now: datetime, *, priority: int = 0, hops: int = 0
) -> Discovered:
    """Make a row for each address not seen before, and a sighting for each address.

    A known page waits to be fetched again when its listing says that it changed: a newer `modified_at`, or another
    title, than the same source told before.
    """
    unique = _without_erased(tx, {lead.key: lead for lead in leads})
    sites.ensure(tx, (lead.site for lead in unique.values()))
    known = _ids(tx, unique)
    new = _insert_new(tx, source_id, [lead for key, lead in unique.items() if key not in known], now, priority, hops)
    changed = _changed(tx, source_id, {known[key]: lead for key, lead in unique.items() if key in known})
    again = refetch(tx, changed, now)
    _see(tx, source_id, {(known | new)[key]: lead for key, lead in unique.items()}, now)
    sites.refresh(tx, {lead.site for key, lead in unique.items() if key in new or known.get(key) in again})
    return Discovered(new=tuple(new.values()), again=tuple(again), known=len(known) - len(again))


def refetch(tx: Tx, page_ids: Collection[int], now: datetime) -> list[int]:
    """Let known pages be fetched again; one that is just being processed is taken up when that is done."""
    found: list[int] = []
    for some in chunks(sorted(page_ids)):
        done = page.c.state == PageState.DONE
        values = {
            "state": case((done, PageState.DISCOVERED.value), else_=page.c.state),
            "disposition": case((done, null()), else_=page.c.disposition),
            "next_at": now,
        }
        wanted = and_(page.c.id.in_(some), page.c.reason.is_distinct_from(ERASED))
        rows = tx.execute(update(page).where(wanted).values(**values).returning(page.c.id))
        found += [row.id for row in rows]
    return sorted(found)


def shown_by(tx: Tx, source_id: int, keys: Collection[str]) -> int:
    """How many of these addresses the source has shown before."""
    found = 0
    for part in chunks(sorted(keys)):
        seen = select(page.c.id).join(sighting, sighting.c.page_id == page.c.id)
        distinct = seen.where(page.c.url.in_(part), sighting.c.source_id == source_id).distinct().subquery()
        found += int(tx.execute(select(func.count()).select_from(distinct)).scalar_one())
    return found


def known_since(tx: Tx, keys: Collection[str]) -> dict[str, datetime]:
    """Since when those of these addresses are known that are."""
    known: dict[str, datetime] = {}
    for part in chunks(sorted(keys)):
        rows = tx.execute(select(page.c.url, page.c.discovered_at).where(page.c.url.in_(part)))
        known.update((row.url, row.discovered_at) for row in rows)
    return known


def get(tx: Tx, page_id: int) -> Page:
    """The page of that id. Raises NotFound."""
    row = tx.execute(select(page).where(page.c.id == page_id)).mappings().first()
    if row is None:
        raise NotFound(f"no page has id {page_id}")
    return record(row)


def find(tx: Tx, key: str) -> Page | None:
    """The page of that canonical key, if it was ever seen."""
    row = tx.execute(select(page).where(page.c.url == key)).mappings().first()
    return record(row) if row else None


def some(tx: Tx, page_ids: Collection[int]) -> list[Page]:
    """The pages of those ids, in the order of the ids; missing ones are left out."""
    query = select(page).where(page.c.id.in_(page_ids)).order_by(page.c.id)
    return [record(row) for row in tx.execute(query).mappings()]


def waiting(tx: Tx, site: str, now: datetime, limit: int) -> list[Page]:
    """Pages of a site to be fetched now: high priority first, then by turns one of each source, its newest first.

    So a source that lists fifty thousand pages at once takes no more than its turn from the others of its site.
    """
    newest = (desc(page.c.discovered_at), page.c.id)
    turn = func.row_number().over(partition_by=(page.c.priority, page.c.source_id), order_by=newest).label("turn")
    waits = and_(page.c.site == site, page.c.state == PageState.DISCOVERED, page.c.next_at <= now)
    ranked = select(page.c.id, turn).where(waits).subquery()
    query = select(page).join(ranked, ranked.c.id == page.c.id)
    ordered = query.order_by(desc(page.c.priority), ranked.c.turn, *newest)
    return [record(row) for row in tx.execute(ordered.limit(limit)).mappings()]


def fetched(tx: Tx, page_id: int, snapshot_id: int, now: datetime, *, recheck_at: datetime | None = None) -> None:
    """A page's bytes are in the store: it waits to be processed. Call it in the transaction that stores them.

    `recheck_at`: when to look at it again, should it become an article.
    """
    fetched_all(tx, [(page_id, snapshot_id, now, recheck_at)])


def fetched_all(tx: Tx, rows: Sequence[tuple[int, int, datetime, datetime | None]]) -> None:
    """The same for several pages at once: each page's id, its snapshot's, and the two times."""
    names = ("of", "snapshot_id", "fetched_at", "recheck_at")
    tx.execute(_FETCHED, [dict(zip(names, row, strict=True)) for row in rows])


def to_recheck(tx: Tx, site: str, now: datetime, limit: int) -> list[Page]:
    """Articles of a site to be looked at again now, the most overdue first."""
    due = (page.c.site == site, page.c.recheck_at <= now, page.c.state == PageState.DONE)
    query = select(page).where(*due).order_by(page.c.recheck_at).limit(limit)
    return [record(row) for row in tx.execute(query).mappings()]


def rechecked(tx: Tx, page_id: int, now: datetime, next_at: datetime | None, *, unchanged: bool = False) -> None:
    """An article was looked at again; `unchanged`: its page is what it was. The next look is at `next_at`, if any."""
    values: dict[str, Any] = {"recheck_at": next_at} | ({"fetched_at": now} if unchanged else {})
    tx.execute(update(page).where(page.c.id == page_id).values(**values))


def put_off_rechecks(tx: Tx, site: str, now: datetime, until: datetime | None) -> int:
    """Let the looks of a site that are due wait until then; None: leave them out. Returns how many."""
    due = (page.c.site == site, page.c.recheck_at <= now, page.c.state == PageState.DONE)
    return tx.execute(update(page).where(*due).values(recheck_at=until)).rowcount


def postpone(tx: Tx, page_id: int, at: datetime, attempts: int, *, reason: str | None = None) -> None:
    """A try failed, for that reason; the next is at that time. Fetching or processing, the state stays what it is."""
    # while a page is FETCHED, next_at means "fetch once more": its next processing is driven by announced_at
    waits, when = page.c.state == PageState.DISCOVERED, literal(at, Utc)
    values: dict[str, Any] = {"next_at": case((waits, when), else_=page.c.next_at)}
    values |= {"announced_at": case((waits, null()), else_=when)}
    values |= {"reason": reason} if reason else {}
    tx.execute(update(page).where(page.c.id == page_id).values(attempts=attempts, **values))


def again(tx: Tx, page_id: int, at: datetime, reason: str) -> None:
    """Have a page fetched once more at that time, whatever state it is in, for that reason."""
    values = {"state": PageState.DISCOVERED, "disposition": None, "next_at": at, "attempts": 0, "reason": reason}
    site = tx.execute(update(page).where(page.c.id == page_id).values(**values).returning(page.c.site)).scalar()
    sites.refresh(tx, [site] if site else [])


def finish(
    tx: Tx,
    page_id: int,
    disposition: Disposition,
    reason: str,
    now: datetime,
    *,
    article_id: int | None = None,
    redirect_to: str | None = None,
) -> None:
    """Close a page with its one disposition; where a listing asked for another fetch meanwhile, it waits again."""
    again = and_(page.c.state == PageState.FETCHED, page.c.next_at.is_not(None))
    values: dict[str, Any] = {
        "state": case((again, PageState.DISCOVERED.value), else_=PageState.DONE.value),
        "disposition": case((again, null()), else_=disposition.value),
        "next_at": case((again, page.c.next_at), else_=null()),
    }
    values |= {"reason": reason, "done_at": now, "attempts": 0} | ({"article_id": article_id} if article_id else {})
    values |= {"redirect_to": redirect_to}
    values |= {} if disposition is Disposition.ARTICLE else {"recheck_at": None}
    whole = tx.execute(update(page).where(page.c.id == page_id).values(**values).returning(page.c.part_of)).scalar()
    if whole is not None:
        wake(tx, whole)


def wake(tx: Tx, page_id: int) -> None:
    """A part is done: let the page of its article be processed now, if it waits for parts and none is still to come."""
    part = page.alias("part")
    open_ = select(part.c.id).where(part.c.part_of == page_id, part.c.state != PageState.DONE).exists()
    waits = and_(page.c.id == page_id, page.c.state == PageState.FETCHED)
    tx.execute(update(page).where(waits, ~open_).values(announced_at=None))


def unannounced(tx: Tx, before: datetime, limit: int, *, fetched_before: datetime | None = None) -> list[int]:
    """Fetched pages that no message has told of since that time: new ones, and those whose message was lost.

    New ones count only if they were fetched before `fetched_before`: who fetched them may be about to tell of them.
    """
    return list(tx.execute(_unannounced(before, limit, fetched_before)).scalars())


def take_unannounced(
    tx: Tx, before: datetime, limit: int, now: datetime, *, fetched_before: datetime | None = None
) -> list[int]:
    """The same, marked as announced in one step: of two sweepers each page goes to one."""
    chosen = skip_locked(_unannounced(before, limit, fetched_before)).cte("chosen")
    marked = update(page).where(page.c.id.in_(select(chosen.c.id))).values(announced_at=now)
    return sorted(tx.execute(marked.returning(page.c.id)).scalars())


def announced(tx: Tx, page_ids: Collection[int], now: datetime) -> None:
    """Remember that a message tells of these pages."""
    for part in chunks(sorted(page_ids)):
        tx.execute(update(page).where(page.c.id.in_(part)).values(announced_at=now))


def still_told(tx: Tx, page_ids: Collection[int], now: datetime) -> None:
    """Of these pages, those that wait to be processed are in good hands: their message is as good as new.

    A page whose processing failed keeps its rest: its `announced_at` lies ahead.
    """
    for part in chunks(sorted(page_ids)):
        told = and_(page.c.id.in_(part), page.c.state == PageState.FETCHED, page.c.announced_at <= now)
        tx.execute(update(page).where(told).values(announced_at=now))


def unannounce(tx: Tx, now: datetime) -> int:
    """All messages are lost, with the broker that held them: let fetched pages be announced anew; returns how many.

    A page whose processing failed keeps its rest: its `announced_at` lies ahead.
    """
    told = and_(page.c.state == PageState.FETCHED, page.c.announced_at <= now)
    return tx.execute(update(page).where(told).values(announced_at=None)).rowcount


def sightings(tx: Tx, page_id: int) -> list[Sighting]:
    """Who showed a page, first sight first."""
    query = select(sighting).where(sighting.c.page_id == page_id).order_by(sighting.c.first_seen, sighting.c.source_id)
    return [_sighting(row) for row in tx.execute(query).mappings()]


def sightings_of(tx: Tx, page_ids: Collection[int]) -> dict[int, list[Sighting]]:
    """Who showed each of these pages, first sight first; pages that nobody showed are left out."""
    found: dict[int, list[Sighting]] = {}
    for part in chunks(sorted(page_ids)):
        query = select(sighting).where(sighting.c.page_id.in_(part))
        for row in tx.execute(query.order_by(sighting.c.first_seen, sighting.c.source_id)).mappings():
            found.setdefault(row["page_id"], []).append(_sighting(row))
    return found


def leads_to(tx: Tx, key: str, limit: int = 20) -> list[str]:
    """The chain of redirects across sites that starts at a page: its key, then each target."""
    chain = [key]
    while len(chain) < limit:
        target = tx.execute(select(page.c.redirect_to).where(page.c.url == chain[-1])).scalar()
        if target is None or target in chain:
            break
        chain.append(target)
    return chain


def counts(tx: Tx) -> dict[tuple[str, str | None, str | None], int]:
    """How many pages there are by state, disposition and reason."""
    by = (page.c.state, page.c.disposition, page.c.reason)
    done = case((page.c.state == PageState.DONE, page.c.reason), else_=null())
    rows = tx.execute(select(page.c.state, page.c.disposition, done, func.count()).group_by(*by[:2], done))
    return {(row[0], row[1], row[2]): row[3] for row in rows}


def _unannounced(before: datetime, limit: int, fetched_before: datetime | None) -> Select[Any]:
    settled = page.c.fetched_at < fetched_before if fetched_before else true()
    lost = or_(and_(page.c.announced_at.is_(None), settled), page.c.announced_at < before)
    return select(page.c.id).where(page.c.state == PageState.FETCHED, lost).order_by(page.c.id).limit(limit)


def _without_erased(tx: Tx, leads: dict[str, Lead]) -> dict[str, Lead]:
    """The leads, with nothing said of pages that were erased: their listing may show title and text still."""
    found = dict(leads)
    for part in chunks(sorted(leads)):
        for key in tx.execute(select(page.c.url).where(page.c.url.in_(part), page.c.reason == ERASED)).scalars():
            candidate = replace(found[key].candidate, hints=Hints())
            found[key] = replace(found[key], candidate=candidate)
    return found


def _ids(tx: Tx, keys: Collection[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in chunks(sorted(keys)):
        found.update({row.url: row.id for row in tx.execute(select(page.c.url, page.c.id).where(page.c.url.in_(part)))})
    return found


def _insert_new(
    tx: Tx, source_id: int, leads: Sequence[Lead], now: datetime, priority: int, hops: int
) -> dict[str, int]:
    common = {"source_id": source_id, "state": PageState.DISCOVERED, "priority": priority, "hops": hops, "attempts": 0}
    rows = [
        {
            "url": lead.key,
            "fetch_url": lead.candidate.url,
            "site": lead.site,
            "next_at": now,
            "discovered_at": now,
            **common,
        }
        for lead in leads
    ]
    for part in chunks(rows):
        tx.execute(insert(tx, page).on_conflict_do_nothing(), part)
    return _ids(tx, [lead.key for lead in leads])


def _changed(tx: Tx, source_id: int, leads: dict[int, Lead]) -> list[int]:
    changed = []
    for part in chunks(sorted(leads)):
        query = select(sighting).where(sighting.c.page_id.in_(part), sighting.c.source_id == source_id)
        for row in tx.execute(query).mappings():
            lead = leads[row["page_id"]]
            if row["via"] == lead.candidate.via and _differs(from_plain(Hints, row["hints"]), lead.candidate.hints):
                changed.append(row["page_id"])
    return changed


def _differs(old: Hints, new: Hints) -> bool:
    newer = new.modified_at is not None and (old.modified_at is None or new.modified_at > old.modified_at)
    renamed = bool(new.title and old.title and " ".join(new.title.split()) != " ".join(old.title.split()))
    return newer or renamed


def _see(tx: Tx, source_id: int, leads: dict[int, Lead], now: datetime) -> None:
    rows = [
        {
            "page_id": page_id,
            "source_id": source_id,
            "via": lead.candidate.via,
            "url": lead.candidate.url,
            "hints": to_plain(lead.candidate.hints),
            "first_seen": now,
            "last_seen": now,
        }
        for page_id, lead in leads.items()
    ]
    for part in chunks(rows):
        statement = insert(tx, sighting)
        renewed = {name: statement.excluded[name] for name in ("url", "hints", "last_seen")}
        tx.execute(statement.on_conflict_do_update(index_elements=["page_id", "source_id", "via"], set_=renewed), part)


def record(row: RowMapping) -> Page:
    """The page in a row of its table."""
    plain = {name: row[name] for name in Page.__slots__}
    plain["state"] = PageState(plain["state"])
    plain["disposition"] = Disposition(plain["disposition"]) if plain["disposition"] else None
    return Page(**plain)


def _sighting(row: RowMapping) -> Sighting:
    plain = {name: row[name] for name in Sighting.__slots__ if name != "hints"}
    return Sighting(hints=from_plain(Hints, row["hints"]), **plain)
