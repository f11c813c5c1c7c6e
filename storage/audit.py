"""The audit: proof that the books balance and that every pointer leads to its bytes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from storage import pages, sites, snapshots
from storage.database import Tx
from storage.errors import ArchiveDamaged, NotFound
from storage.records import Disposition, PageState
from storage.store import Store
from storage.tables import HOT, article, article_version, change, doomed_file, page, quarantine, snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that does not add up."""

    check: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Where every page ever discovered is now."""

    discovered: int
    articles: int
    duplicates: int
    rejected: int
    quarantined: int
    pending: int

    @property
    def balanced(self) -> bool:
        """Whether the parts make the whole."""
        return self.discovered == self.articles + self.duplicates + self.rejected + self.quarantined + self.pending


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What an audit found."""

    balance: Balance
    bodies_checked: int
    faults: tuple[Fault, ...]


def audit(store: Store, now: datetime, *, progress: Callable[[int], None] = lambda _done: None) -> Report:
    """Check everything; `progress` is told of each archived body that was read."""
    with store.reading() as tx:
        faults = [*_books(tx), *_articles(tx), *_leases(tx, now), *_doomed(tx)]
        books = balance(tx)
    checked = 0
    for found in _damaged(store, progress):
        checked += 1
        if found is not None:
            faults.append(found)
    return Report(balance=books, bodies_checked=checked, faults=tuple(faults))


def balance(tx: Tx) -> Balance:
    """The books, from the pages' own states."""
    by: dict[str | None, int] = {}
    for (state, disposition, _), count in pages.counts(tx).items():
        name = disposition if state == PageState.DONE else "pending"
        by[name] = by.get(name, 0) + count
    return Balance(
        discovered=int(tx.execute(select(func.count()).select_from(page)).scalar_one()),
        articles=by.get(Disposition.ARTICLE, 0),
        duplicates=by.get(Disposition.DUPLICATE, 0),
        rejected=by.get(Disposition.REJECTED, 0),
        quarantined=by.get(Disposition.QUARANTINED, 0),
        pending=by.get("pending", 0),
    )


def _books(tx: Tx) -> Iterator[Fault]:
    books = balance(tx)
    if not books.balanced:
        yield Fault(check="balance", what=f"the parts do not make the whole: {books}")
    half = select(page.c.url).where((page.c.state == PageState.DONE) != page.c.disposition.is_not(None))
    for url in tx.execute(half.limit(100)).scalars():
        yield Fault(check="state", what=f"{url}: done without a disposition, or with one before it is done")
    lost = select(page.c.url).join(quarantine, quarantine.c.page_id == page.c.id, isouter=True)
    for url in tx.execute(
        lost.where(page.c.disposition == "quarantined", quarantine.c.page_id.is_(None)).limit(100)
    ).scalars():
        yield Fault(check="quarantine", what=f"{url}: quarantined, but its error is not kept")


def _articles(tx: Tx) -> Iterator[Fault]:
    told = (change.c.article_id == article_version.c.article_id) & (change.c.version == article_version.c.version)
    silent = select(article_version.c.article_id, article_version.c.version).join(change, told, isouter=True)
    for row in tx.execute(silent.where(change.c.seq.is_(None)).limit(100)):
        yield Fault(check="changes", what=f"article {row.article_id} version {row.version} has no change row")
    home = (page.c.id == article.c.page_id) & (page.c.article_id == article.c.id)
    homeless = select(article.c.url).join(page, home, isouter=True).where(page.c.id.is_(None))
    for url in tx.execute(homeless.limit(100)).scalars():
        yield Fault(check="articles", what=f"{url}: its page does not know it")
    number = func.count().label("number")
    gaps = select(article_version.c.article_id, number, func.max(article_version.c.version).label("top"))
    for row in tx.execute(
        gaps.group_by(article_version.c.article_id).having(number != func.max(article_version.c.version))
    ):
        yield Fault(check="versions", what=f"article {row.article_id} has {row.number} versions, the last is {row.top}")
    bare = select(snapshot.c.id).where(snapshot.c.body.is_(None), HOT)
    for snapshot_id in tx.execute(bare.limit(100)).scalars():
        yield Fault(check="archive", what=f"snapshot {snapshot_id} has neither a body nor a place in the archive")


def _leases(tx: Tx, now: datetime) -> Iterator[Fault]:
    # a lease that just ran out belongs to a worker that died: the next claim takes it over
    for site in sites.stale_leases(tx, now - timedelta(hours=1)):
        yield Fault(
            check="leases", what=f"site {site.key}: the lease of {site.lease_owner} ran out at {site.lease_until}"
        )


def _doomed(tx: Tx) -> Iterator[Fault]:
    for file in tx.execute(select(doomed_file.c.file).limit(100)).scalars():
        what = f"archive {file} is to go and was not deleted; 'copydesk prune' does it"
        yield Fault(check="archive", what=what)


def _damaged(store: Store, progress: Callable[[int], None]) -> Iterator[Fault | None]:
    last = 0
    while True:
        with store.reading() as tx:
            batch = snapshots.packed(tx, last, 500)
        if not batch:
            return
        for number, found in enumerate(batch, start=1):
            yield _check_body(store, found.id)
            progress(number)
        last = batch[-1].id


def _check_body(store: Store, snapshot_id: int) -> Fault | None:
    try:
        with store.reading() as tx:
            snapshots.body(tx, store.archive, snapshots.get(tx, snapshot_id))
    except (ArchiveDamaged, NotFound) as error:
        return Fault(check="archive", what=f"snapshot {snapshot_id}: {error}")
    return None
