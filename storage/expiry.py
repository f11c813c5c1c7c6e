"""What goes when its time is over, a bounded piece at a time: polls, sightings, old versions, bodies.

Each step looks at about `limit` rows after `after` and returns where the next one goes on; a dry one only counts.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, tuple_, update

from storage.database import Tx, chunks, insert
from storage.records import Disposition, PageState
from storage.retention import Rules, Step
from storage.tables import HOT, article, article_version, doomed_file, page, poll, sighting, snapshot

_AT_ONCE = 200
_GONE: dict[str, Any] = {"text": "", "blocks": [], "description": None, "provenance": {}, "evidence": {}}
"""What a pruned version loses. Number, class, headline, dates and content hash stay: the change feed speaks of them."""


def polls(tx: Tx, rules: Rules, now: datetime, *, after: int = 0, limit: int = 5000, dry: bool = False) -> Step:
    """Forget polls that ended long ago."""
    latest = rules.latest("polls", now)
    columns = (poll.c.id, poll.c.source_id, poll.c.finished_at)
    rows = tx.execute(select(*columns).where(poll.c.id > after).order_by(poll.c.id).limit(limit)).all()
    old = [row.id for row in rows if rules.is_old("polls", row.source_id, row.finished_at, now)]
    for part in () if dry else chunks(old, _AT_ONCE):
        tx.execute(delete(poll).where(poll.c.id.in_(part)))
    # polls are numbered as they come: after a whole piece that is young for every source there is nothing old
    ended = len(rows) < limit or latest is None or all(row.finished_at >= latest for row in rows)
    return Step(gone=len(old), after=None if ended else rows[-1].id)


def sightings(tx: Tx, rules: Rules, now: datetime, *, after: int = 0, limit: int = 5000, dry: bool = False) -> Step:
    """Forget sightings by when they were *last* seen.

    What a feed still shows is never old, however long ago it first came: else a slow feed's items would be new again.
    A page keeps its row and so its identity; the sightings of a page that still waits stay, as they are evidence for
    its processing.
    """
    columns = (sighting.c.page_id, sighting.c.source_id, sighting.c.via, sighting.c.last_seen, page.c.state)
    query = select(*columns).join(page, page.c.id == sighting.c.page_id).where(sighting.c.page_id > after)
    rows = tx.execute(query.order_by(sighting.c.page_id).limit(limit)).all()
    if len(rows) == limit and rows[0].page_id != rows[-1].page_id:
        rows = [row for row in rows if row.page_id != rows[-1].page_id]  # a page is looked at as a whole
        following: int | None = rows[-1].page_id
    else:
        following = rows[-1].page_id if len(rows) == limit else None
    done = [row for row in rows if row.state == PageState.DONE]
    old = [row for row in done if rules.is_old("sightings", row.source_id, row.last_seen, now)]
    for part in () if dry else chunks(old, _AT_ONCE):
        keys = [(row.page_id, row.source_id, row.via) for row in part]
        tx.execute(delete(sighting).where(tuple_(sighting.c.page_id, sighting.c.source_id, sighting.c.via).in_(keys)))
    return Step(gone=len(old), after=following)


def versions(tx: Tx, rules: Rules, now: datetime, *, after: int = 0, limit: int = 2000, dry: bool = False) -> Step:
    """Take the text out of versions that were superseded long ago; their rows stay. The current version is never old.

    The time counts from when the next version came.
    """
    newer = article_version.alias("newer")
    follows = (newer.c.article_id == article_version.c.article_id) & (newer.c.version == article_version.c.version + 1)
    superseded = (article_version.c.article_id == article.c.id) & (article_version.c.version < article.c.version)
    columns = (article_version.c.article_id, article_version.c.version, article.c.source_id, newer.c.created_at)
    query = select(*columns).join(article, superseded).join(newer, follows)
    piece = (article.c.id > after, article.c.id <= after + limit, article_version.c.pruned_at.is_(None))
    rows = tx.execute(query.where(*piece)).all()
    old = [row for row in rows if rules.is_old("versions", row.source_id, row.created_at, now)]
    for part in () if dry else chunks(old, _AT_ONCE):
        keys = [(row.article_id, row.version) for row in part]
        mine = tuple_(article_version.c.article_id, article_version.c.version).in_(keys)
        tx.execute(update(article_version).where(mine).values(pruned_at=now, **_GONE))
    last = tx.execute(select(func.max(article.c.id))).scalar() or 0
    return Step(gone=len(old), after=after + limit if after + limit < last else None)


def hot_bodies(tx: Tx, rules: Rules, now: datetime, *, after: int = 0, limit: int = 1000, dry: bool = False) -> Step:
    """Delete old bodies that were never packed: where no worker runs, nobody packs them."""
    rows = tx.execute(_bodies().where(HOT, snapshot.c.id > after).order_by(snapshot.c.id).limit(limit)).all()
    old = [row.id for row in rows if _is_past(row, rules, now)]
    for part in () if dry else chunks(old, _AT_ONCE):
        tx.execute(update(snapshot).where(snapshot.c.id.in_(part)).values(body=None, pruned_at=now))
    return Step(gone=len(old), after=rows[-1].id if len(rows) == limit else None)


def next_file(tx: Tx, rules: Rules, now: datetime, after: str) -> str | None:
    """The next archive file, by name, that was written so long ago that its records may be old; None at the end."""
    latest = rules.latest("archive", now)
    if latest is None:
        return None
    query = select(func.min(snapshot.c.archive_file)).where(snapshot.c.archive_file > after)
    return tx.execute(query.where(snapshot.c.archive_file < _written_at(latest))).scalar()


def archive_file(tx: Tx, name: str, rules: Rules, now: datetime, *, dry: bool = False) -> int:
    """Let an archive file go if the time of *all* its records is over; returns how many bodies go with it.

    A record's time counts from when it was fetched or written to the file, whichever is later. Its snapshot stays
    without the body, and the file is noted as one to be deleted once this is committed.
    """
    rows = tx.execute(_bodies().where(snapshot.c.archive_file == name)).all()
    if not rows or not all(_is_past(row, rules, now) and _was_written(name, row, rules, now) for row in rows):
        return 0
    if not dry:
        nowhere = dict.fromkeys(("archive_file", "archive_offset", "archive_length"))
        tx.execute(update(snapshot).where(snapshot.c.archive_file == name).values(pruned_at=now, **nowhere))
        tx.execute(insert(tx, doomed_file).values(file=name, at=now).on_conflict_do_nothing())
    return len(rows)


def _bodies() -> Any:
    columns = (snapshot.c.id, snapshot.c.fetched_at, page.c.source_id, page.c.state, page.c.disposition, page.c.done_at)
    return select(*columns).join(page, page.c.id == snapshot.c.page_id)


def _is_past(row: Any, rules: Rules, now: datetime) -> bool:
    """Whether a body is old, and not needed: by a page that waits, or one in quarantine that may be tried again."""
    settled = row.state == PageState.DONE and row.disposition != Disposition.QUARANTINED
    # what was handed in lately may have been fetched by somebody years ago
    return settled and rules.is_old("archive", row.source_id, max(row.fetched_at, row.done_at or row.fetched_at), now)


def _was_written(name: str, row: Any, rules: Rules, now: datetime) -> bool:
    limit = rules.limit("archive", row.source_id, now)
    return limit is not None and name < _written_at(limit)


def _written_at(moment: datetime) -> str:
    """What the names of archive files sort after that were written at that time or later."""
    return f"{moment:%Y/%m/%d}/copydesk-{moment:%Y%m%dT%H%M%S}"
