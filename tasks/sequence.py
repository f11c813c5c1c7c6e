"""Gathers the parts of an article that its site spreads over several pages, and knows which page is a part of which."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crawler.addresses import refusal
from crawler.urls import canonical_key
from storage import articles, pages, parts, processing, snapshots
from storage.database import Tx
from storage.records import Candidate, Disposition, Extracted, Lead, Page, PageState, Record, Rejection, Via
from storage.store import Store
from tasks.extract.material import Material
from tasks.outcome import Outcome, OutcomeKind
from tasks.parts import MOST, continues, cut, joined
from tasks.pipeline import look

PATIENCE = timedelta(hours=1)
"""How long an article waits for its parts after its first page was fetched; what is there by then is filed."""
_PART = "part_of_article"
_GIVEN = (Disposition.ARTICLE, Disposition.DUPLICATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered(Record):
    """A first page with its parts as far as they are there."""

    seen: Extracted
    wanted: str | None = None
    """The address of the next part, if it may still come."""
    missing: str | None = None
    """The address of the next part, if it could not be had."""

    @property
    def so_far(self) -> Extracted:
        """What there is; marked as partial if something is wanted or missing."""
        absent = self.wanted or self.missing
        return cut(self.seen, absent) if absent else self.seen


def gather(
    store: Store,
    page: Page,
    seen: Extracted,
    load: Callable[[Page], Material | None],
    *,
    waits: bool = False,
    allowed: Sequence[str] = (),
) -> Gathered:
    """Follow a first page from part to part, as far as the store has them.

    A part that is older than its first page is wanted anew while that `waits`, and taken as it is else; one that
    `load` has nothing of is missing. `allowed`: exceptions from the address guard.
    """
    if not seen.next_page:
        return Gathered(seen=seen)
    found: list[Extracted] = []
    with store.reading() as tx:
        bases = _bases(tx, page)
    known = set(bases)
    address: str | None = seen.next_page
    while len(found) < MOST - 1 and (key := _next(address, bases, known)) is not None:
        known.add(key)
        with store.reading() as tx:
            part = pages.find(tx, key)
        if address and refusal(address, allowed) is None and (_may_come(part) or (waits and _is_stale(part, page))):
            return Gathered(seen=joined(seen, found), wanted=address)
        given = load(part) if part and _is_there(part) else None
        told = look(given) if given else None
        if told is None or isinstance(told, Rejection):
            return Gathered(seen=joined(seen, found), missing=address)
        found.append(told)
        address = told.next_page
    return Gathered(seen=joined(seen, found))


def first_of(store: Store, page: Page, seen: Extracted) -> Page | None:
    """The page whose article this page is a later part of: known already, or named by the page (rel=prev)."""
    if page.part_of is None and not seen.previous_page:
        return None
    with store.reading() as tx:
        return _first_of(tx, page, seen)


def _first_of(tx: Tx, page: Page, seen: Extracted) -> Page | None:
    if page.part_of is not None:
        return pages.get(tx, page.part_of)
    if page.article_id is not None and articles.page_of(tx, page.article_id) == page.id:
        return None  # it was filed before its first page was known, and others know it by that
    key = _key(seen.previous_page)
    before = pages.find(tx, key) if key else None
    if before is None or before.id == page.id:
        return None
    first = pages.get(tx, before.part_of) if before.part_of else before
    given_up = first.state is PageState.DONE and first.disposition not in _GIVEN
    follows = any(continues(base, own) for base in _bases(tx, first) for own in _bases(tx, page))
    return first if follows and not given_up and first.id != page.id else None


def wait(tx: Tx, page: Page, wanted: str, now: datetime) -> Outcome:
    """Let a first page wait for its next part, which will be fetched. The try that found this out does not count."""
    held = processing.hold(tx, page.id)
    if held is None or held.snapshot_id != page.snapshot_id or page.fetched_at is None:
        return Outcome(page_id=page.id, kind=OutcomeKind.SKIPPED, reason="changed_meanwhile")
    _want(tx, page, wanted, now, older_than=page.fetched_at - PATIENCE)
    pages.postpone(tx, page.id, page.fetched_at + PATIENCE, page.attempts - 1, reason="waits_for_parts")
    part = pages.find(tx, _key(wanted) or wanted)
    if part is not None and part.state is PageState.DONE:  # it came, or failed, while we looked
        pages.wake(tx, page.id)
    return Outcome(page_id=page.id, kind=OutcomeKind.POSTPONED, reason="waits_for_parts")


def settle_part(tx: Tx, page: Page, first: Page, seen: Extracted, now: datetime, allowed: Sequence[str]) -> Outcome:
    """Close a page as a part of another's article, and see that the part after it comes as well."""
    held = processing.hold(tx, page.id)
    if held is None or held.snapshot_id != page.snapshot_id or not parts.adopt(tx, first.id, page.id):
        return Outcome(page_id=page.id, kind=OutcomeKind.SKIPPED, reason="changed_meanwhile")
    siblings = parts.of(tx, first.id)
    bases = _bases(tx, first)
    known = {*bases, *(one.url for one in siblings if one.state is not PageState.DISCOVERED)}
    follows = len(siblings) < MOST - 1 and _next(seen.next_page, bases, known) is not None
    if follows and seen.next_page and refusal(seen.next_page, allowed) is None:
        _want(tx, first, seen.next_page, now, older_than=now - PATIENCE)
    pages.finish(tx, page.id, Disposition.DUPLICATE, _PART, now, article_id=first.article_id)
    if not parts.expected(tx, first.id):
        parts.reopen(tx, first.id)
    kind, disposition = OutcomeKind.PART, Disposition.DUPLICATE
    return Outcome(page_id=page.id, kind=kind, reason=_PART, disposition=disposition, article_id=first.article_id)


def catch_up(tx: Tx, page: Page, wanted: str) -> None:
    """A first page was filed without that part: should it have come while the page was read, read it once more."""
    part = pages.find(tx, _key(wanted) or wanted)
    if part is not None and part.state is PageState.DONE and part.part_of == page.id and _is_there(part):
        parts.reopen(tx, page.id)


def waits(page: Page, now: datetime) -> bool:
    """Whether a first page may still wait for parts."""
    return page.fetched_at is not None and now < page.fetched_at + PATIENCE


def _want(tx: Tx, first: Page, address: str, now: datetime, *, older_than: datetime) -> None:
    key = _key(address)
    if key is not None:
        # the rules for listings would call it a trap: a page number, in a link; a sequence ends by its own bound
        lead = Lead(key=key, site=first.site, candidate=Candidate(url=address, via=Via.NEXT_PAGE))
        parts.want(tx, first, lead, now, older_than=older_than)


def _may_come(part: Page | None) -> bool:
    return part is None or part.state is not PageState.DONE


def _is_stale(part: Page | None, first: Page) -> bool:
    """Whether a part was last looked at well before its first page was fetched: it may continue another text."""
    if part is None or part.done_at is None or first.fetched_at is None or part.reason == pages.ERASED:
        return False
    return part.done_at < first.fetched_at - PATIENCE


def _is_there(part: Page) -> bool:
    given = part.snapshot_id is not None and part.disposition in _GIVEN
    return given and part.reason not in ("redirected", pages.ERASED)


def _next(address: str | None, bases: tuple[str, ...], known: set[str]) -> str | None:
    """The key of the address if it goes on with the article and was not met before."""
    key = _key(address)
    return key if key and key not in known and any(continues(base, key) for base in bases) else None


def _bases(tx: Tx, page: Page) -> tuple[str, ...]:
    """The keys of a page: its own, and that of the address which answered."""
    answered = snapshots.get(tx, page.snapshot_id).url if page.snapshot_id else page.url
    return tuple(dict.fromkeys((page.url, _key(answered) or page.url)))


def _key(address: str | None) -> str | None:
    try:
        return canonical_key(address) if address else None
    except ValueError:
        return None
