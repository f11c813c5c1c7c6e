"""Jobs: what somebody asked for, and how far the pages and polls are that it is about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, RowMapping, and_, func, select

from storage.database import Tx
from storage.errors import NotFound
from storage.reader_tables import job
from storage.records import PageState, Record
from storage.tables import page, source


class JobState(StrEnum):
    """How far a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(Record):
    """What was asked for, and what has become of it so far."""

    id: int
    kind: str
    """`crawl` or `ingest`."""
    what: str
    asked_by: str
    asked_at: datetime
    state: JobState
    pages: dict[str, int]
    """How many of its pages ended how; those on their way by their state."""
    articles: tuple[int, ...]
    """The articles that its pages are or repeat, at most a hundred."""
    problems: tuple[str, ...]
    """Parts of the input that could not be read."""


def add(
    tx: Tx,
    kind: str,
    what: str,
    *,
    asked_by: str,
    now: datetime,
    source_id: int | None = None,
    pages: Sequence[int] = (),
    problems: Sequence[str] = (),
) -> int:
    """Note a job; returns its id."""
    values = {"kind": kind, "what": what, "asked_by": asked_by, "asked_at": now, "source_id": source_id}
    made = job.insert().values(**values, pages=list(pages), problems=list(problems))
    return int(tx.execute(made.returning(job.c.id)).scalar_one())


def get(tx: Tx, job_id: int) -> Job:
    """A job as it stands. Raises NotFound."""
    row = tx.execute(select(job).where(job.c.id == job_id)).mappings().first()
    if row is None:
        raise NotFound(f"there is no job {job_id}")
    return _job(tx, row)


def listed(tx: Tx, limit: int = 50) -> list[Job]:
    """The newest jobs first."""
    rows = tx.execute(select(job).order_by(job.c.id.desc()).limit(limit)).mappings().all()
    return [_job(tx, row) for row in rows]


def _job(tx: Tx, row: RowMapping) -> Job:
    about = _about(row)
    counted = select(func.coalesce(page.c.disposition, page.c.state), func.count()).where(about)
    counts = {name: int(count) for name, count in tx.execute(counted.group_by(page.c.disposition, page.c.state))}
    found = select(page.c.article_id).where(about, page.c.article_id.is_not(None)).distinct()
    articles = tx.execute(found.order_by(page.c.article_id).limit(100)).scalars()
    names = ("id", "kind", "what", "asked_by", "asked_at")
    return Job(
        **{name: row[name] for name in names},
        state=_state(tx, row, counts),
        pages=counts,
        articles=tuple(articles),
        problems=tuple(row["problems"]),
    )


def _about(row: RowMapping) -> ColumnElement[bool]:
    if row["source_id"] is None:
        return page.c.id.in_(row["pages"])
    return and_(page.c.source_id == row["source_id"], page.c.discovered_at >= row["asked_at"])


def _state(tx: Tx, row: RowMapping, counts: dict[str, int]) -> JobState:
    if row["source_id"] is not None:
        polled = tx.execute(select(source.c.last_poll_at).where(source.c.id == row["source_id"])).scalar()
        if polled is None or polled < row["asked_at"]:
            return JobState.WAITING
    on_their_way = {name for name in counts if name in {state.value for state in PageState} - {PageState.DONE.value}}
    if not on_their_way:
        return JobState.DONE
    return JobState.WAITING if set(counts) == {PageState.DISCOVERED.value} else JobState.RUNNING
