"""The records that every part of Copydesk speaks in: frozen facts and decisions, no behaviour.

A time is an aware UTC datetime, checked at construction. A fact (what was seen) and a decision (what to write)
are different types. Enumerations are strings, so that a stored value reads as itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Any, Generic, TypeVar

T = TypeVar("T")

Headers = tuple[tuple[str, str], ...]
"""Header lines in the order they were sent, names as sent."""


class SourceKind(StrEnum):
    """What a source's address is expected to serve; AUTO finds out by its content at each poll."""

    AUTO = "auto"
    FEED = "feed"
    SITEMAP = "sitemap"
    SECTION = "section"
    PAGE = "page"
    MANUAL = "manual"  # never polled: what people ingest by hand


class Via(StrEnum):
    """The way by which an address was seen."""

    FEED = "feed"
    SITEMAP = "sitemap"
    NEWS_SITEMAP = "news_sitemap"
    SECTION = "section"
    MANUAL = "manual"
    REDIRECT = "redirect"
    CANONICAL = "canonical"
    NEXT_PAGE = "next_page"


class PageState(StrEnum):
    """Where a page stands: to be fetched, to be processed, or done (then it has a disposition)."""

    DISCOVERED = "discovered"
    FETCHED = "fetched"
    DONE = "done"


class Disposition(StrEnum):
    """What became of a page that is done. Every done page has exactly one."""

    ARTICLE = "article"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"
    QUARANTINED = "quarantined"


class Precision(StrEnum):
    """How exactly a publication time is known."""

    SECOND = "second"
    MINUTE = "minute"
    DAY = "day"


class Access(StrEnum):
    """How much of an article its page gave away."""

    FREE = "free"
    METERED = "metered"
    PAYWALL = "paywall"
    CONSENT = "consent"
    PARTIAL = "partial"


class BlockKind(StrEnum):
    """What a block of an article's body is."""

    PARAGRAPH = "paragraph"
    HEADING = "heading"
    LIST = "list"
    QUOTE = "quote"
    TABLE = "table"
    CODE = "code"
    EMBED = "embed"


class DecisionKind(StrEnum):
    """What a cleaned page is to the store."""

    NEW = "new"
    SAME = "same"
    VERSION = "version"
    DUPLICATE = "duplicate"


class ChangeClass(StrEnum):
    """How a version differs from the one before it. A cosmetic difference makes no version."""

    FIRST = "first"
    COSMETIC = "cosmetic"
    EDIT = "edit"
    CORRECTION = "correction"
    RETRACTION = "retraction"
    REPROCESSED = "reprocessed"
    """The page is the one of the version before; it was read anew, by better rules."""


class ChangeKind(StrEnum):
    """What a row of the change feed tells."""

    CREATED = "created"
    UPDATED = "updated"
    CLUSTERED = "clustered"
    WITHDRAWN = "withdrawn"


class EventKind(StrEnum):
    """What an operator should know of, from when to when."""

    GAP = "gap"  # two polls had no entry in common: articles may have come and gone unseen
    QUIET = "quiet"  # nothing new, against the source's own habits
    OUTAGE = "outage"  # our own network is down: no source is to blame


class Record:
    """Base of all records: refuses a datetime that is naive or not in UTC."""

    __slots__ = ()

    def __post_init__(self) -> None:
        kind: Any = type(self)
        for name in _times(kind):
            value = getattr(self, name)
            if isinstance(value, datetime) and value.utcoffset() != timedelta(0):
                raise ValueError(f"{type(self).__name__}.{name} must be an aware UTC time, not {value!r}")


@cache
def _times(kind: Any) -> tuple[str, ...]:
    """The fields of a record that may hold a time; a generic one may hold anything."""
    return tuple(spec.name for spec in fields(kind) if "datetime" in str(spec.type) or str(spec.type) in ("T", "~T"))


RETAINED = ("archive", "versions", "polls", "sightings")
"""The kinds of data that a source may have its own retention for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceConfig(Record):
    """What an operator says of a source; everything else is learned."""

    name: str
    url: str
    kind: SourceKind = SourceKind.AUTO
    interval_s: int | None = None
    """A fixed interval in seconds; None lets the schedule learn one."""
    cron: str | None = None
    """A fixed schedule (five fields) in `timezone`; excludes `interval_s`."""
    timezone: str = "UTC"
    language: str | None = None
    publisher: str | None = None
    include: tuple[str, ...] = ()
    """Regular expressions; where there are any, a candidate's address must match one."""
    exclude: tuple[str, ...] = ()
    """Regular expressions; a candidate whose address matches one is left out."""
    recipe: str | None = None
    """The name of a site recipe."""
    headers: Headers = ()
    """Sent to the source's own site; a value `env:NAME` stands for what the environment variable NAME holds."""
    cookies: Headers = ()
    """Likewise: names and values."""
    basic: str | None = None
    """The environment variable that holds `user:password` for HTTP Basic authentication."""
    bearer: str | None = None
    """The environment variable that holds a bearer token."""
    proxy: str | None = None
    """One of the proxies that the settings name; a log-in in it, `USER:${VARIABLE}@`, names environment variables."""
    render: bool = False
    """Whether its pages get their text from scripts, and are to be read after a browser ran these."""
    delay_s: float | None = None
    """Least seconds between two requests to its site, above the general one."""
    concurrency: int = 1
    """Most requests to its site at the same time."""
    retention: tuple[tuple[str, int], ...] = ()
    """Days that each kind of data is kept, by kind, 0 for ever; what is not named follows the settings."""
    priority: int = 0
    """Higher goes first among the pages of a site."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source(Record):
    """A source and what is known of it so far."""

    id: int
    config: SourceConfig
    site: str
    paused: bool
    added_at: datetime
    next_at: datetime | None
    """When it is due; None while it is never due (manual)."""
    interval_s: int
    """The present interval in seconds, learned unless fixed."""
    etag: str | None
    last_modified: str | None
    """As the server sent it, to be echoed verbatim."""
    body_digest: str | None
    failures: float
    """The failure score: fractions by error class, 0 after a success."""
    last_poll_at: datetime | None
    last_success_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints(Record):
    """What a listing says of an article: evidence, not truth."""

    title: str | None = None
    published_at: datetime | None = None
    modified_at: datetime | None = None
    guid: str | None = None
    authors: tuple[str, ...] = ()
    summary: str | None = None
    content_html: str | None = None
    """The entry's own body, as HTML."""
    language: str | None = None
    section: str | None = None
    keywords: tuple[str, ...] = ()
    publisher: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate(Record):
    """An address that may be an article, as a listing names it."""

    url: str
    via: Via
    hints: Hints = Hints()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Record):
    """One address by its canonical key, with its one state."""

    id: int
    url: str
    """The canonical key."""
    fetch_url: str
    """The address to ask for: as first seen."""
    site: str
    source_id: int
    state: PageState
    disposition: Disposition | None
    reason: str | None
    article_id: int | None
    snapshot_id: int | None
    priority: int
    hops: int
    """How many redirects across sites led here."""
    attempts: int
    """Failed tries of the present stage in a row."""
    next_at: datetime | None
    """When it may be fetched; None unless it waits to be."""
    discovered_at: datetime
    fetched_at: datetime | None
    done_at: datetime | None
    part_of: int | None = None
    """The page of whose article it is a later part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting(Record):
    """That a source showed a page, and what it said of it."""

    page_id: int
    source_id: int
    via: Via
    url: str
    """As listed, before canonicalisation."""
    hints: Hints
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange(Record):
    """One finished HTTP exchange (or a file somebody handed in), before it has a row."""

    url: str
    """The address that answered, after redirects within the site."""
    status: int
    headers: Headers
    """Of the response; the body's content coding is undone already."""
    body: bytes
    fetched_at: datetime
    request_headers: Headers = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer(Record):
    """Where a record stands in the archive."""

    file: str
    """Relative to the archive's root."""
    offset: int
    length: int
    digest: str
    """`sha256:` and the hex digest of the body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot(Record):
    """A stored exchange of a page; its body is hot in the database or packed at `pointer`."""

    id: int
    page_id: int
    url: str
    status: int
    headers: Headers
    request_headers: Headers
    fetched_at: datetime
    size: int
    digest: str
    pointer: Pointer | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance(Record):
    """Where a field's value comes from: the place in the page, what stood there, and how far it is trusted (0 to 1)."""

    source: str
    raw: str
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding(Record, Generic[T]):
    """One candidate value of one field, with its provenance."""

    value: T
    source: str
    raw: str
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Block(Record):
    """One piece of an article's body, in reading order."""

    kind: BlockKind
    text: str
    level: int = 0
    """Of a heading, 1 to 6."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted(Record):
    """What a page says: for each field its findings, the best first. Nothing is decided for good here."""

    title: tuple[Finding[str], ...] = ()
    subtitle: tuple[Finding[str], ...] = ()
    description: tuple[Finding[str], ...] = ()
    authors: tuple[Finding[tuple[str, ...]], ...] = ()
    credit: tuple[Finding[str], ...] = ()
    """Agencies, newsrooms and accounts that a byline names instead of, or beside, persons."""
    dateline: tuple[Finding[str], ...] = ()
    """The place that the report is dated from."""
    published_at: tuple[Finding[datetime], ...] = ()
    published_precision: Precision | None = None
    modified_at: tuple[Finding[datetime], ...] = ()
    language: tuple[Finding[str], ...] = ()
    section: tuple[Finding[str], ...] = ()
    keywords: tuple[Finding[tuple[str, ...]], ...] = ()
    image: tuple[Finding[str], ...] = ()
    publisher: tuple[Finding[str], ...] = ()
    canonical_url: tuple[Finding[str], ...] = ()
    license: tuple[Finding[str], ...] = ()
    tdm: tuple[Finding[str], ...] = ()
    access: tuple[Finding[Access], ...] = ()
    blocks: tuple[Finding[tuple[Block, ...]], ...] = ()
    next_page: str | None = None
    """The address of the next part of a paginated article (rel=next)."""
    previous_page: str | None = None
    """Likewise of the part before (rel=prev)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection(Record):
    """Why a stage gave no result: a stable snake_case reason, and the particulars for a person."""

    stage: str
    reason: str
    detail: str = ""
    target: str | None = None
    """Where a page without an article sends its readers by itself (meta refresh)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clean(Record):
    """An article's content in canonical form: NFC, aware dates, people as names, boilerplate out."""

    url: str
    """The canonical key that the article is filed under."""
    title: str
    text: str
    blocks: tuple[Block, ...]
    fetched_at: datetime
    subtitle: str | None = None
    description: str | None = None
    authors: tuple[str, ...] = ()
    credit: str | None = None
    """The agency that the text is credited to, else the newsroom or account that stands in its byline."""
    dateline: str | None = None
    """The place that the report is dated from, as printed: "LONDON"."""
    publisher: str | None = None
    published_at: datetime | None = None
    published_precision: Precision | None = None
    modified_at: datetime | None = None
    language: str | None = None
    section: str | None = None
    keywords: tuple[str, ...] = ()
    image: str | None = None
    access: Access = Access.FREE
    license: str | None = None
    tdm: str | None = None
    provenance: Mapping[str, Provenance] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint(Record):
    """What is compared instead of a text, with the version of the arithmetic. All hashes are signed integers."""

    algorithm: int
    exact: int
    """Hash, of 64 bits, of the text's words."""
    marks: bytes
    """What a pair of articles is judged by; storage keeps it without knowing what is in it."""
    keys: tuple[int, ...] = ()
    """The hashes, of 32 bits, by which candidates are found, the most telling first; none for a short text."""
    lines: tuple[int, ...] = ()
    """The hashes, of 32 bits, of the text's lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour(Record):
    """An article in the store that may tell the same story as a new one."""

    article_id: int
    url: str
    site: str
    cluster_id: int
    fingerprint: Fingerprint
    published_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known(Record):
    """An article in the store that a new one is compared with."""

    article_id: int
    url: str
    site: str
    cluster_id: int
    version: int
    fingerprint: Fingerprint
    text: str
    title: str
    access: Access
    published_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision(Record):
    """What to write for one cleaned page."""

    kind: DecisionKind
    reason: str
    article_id: int | None = None
    """Of the article that it repeats or changes."""
    cluster_id: int | None = None
    """Of the cluster that a new article joins; None founds one."""
    merges: tuple[int, ...] = ()
    """Further clusters that the new article shows to be one with that."""
    change_class: ChangeClass = ChangeClass.FIRST
    similarity: float | None = None
    evidence: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """What it was decided from, as JSON: each article compared with, its measures and probability."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Article(Record):
    """A canonical record as readers get it: the content of one version, and its place in the store."""

    id: int
    source: str
    """The name of the source that listed it first."""
    cluster_id: int
    is_primary: bool
    version: int
    change_class: ChangeClass
    content_hash: str
    first_seen: datetime
    snapshot_id: int
    archive: Pointer | None
    word_count: int
    content: Clean
    withdrawn_at: datetime | None = None
    withdrawn_reason: str | None = None
    pruned_at: datetime | None = None
    """When the text of this old version went because its time was over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Record):
    """A row of the change feed; `seq` rises in commit order."""

    seq: int
    kind: ChangeKind
    article_id: int
    version: int
    cluster_id: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll(Record):
    """One visit to a source, as its history tells it."""

    source_id: int
    started_at: datetime
    finished_at: datetime
    outcome: str
    """`ok`, `not_modified`, or the code of the failure."""
    status: int | None
    entries: int = 0
    new: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Record):
    """Something out of the ordinary; open until `closed_at`."""

    id: int
    kind: EventKind
    source_id: int | None
    source: str | None
    """The source's name; None for what concerns all."""
    detail: str
    opened_at: datetime
    tried_at: datetime | None
    """When something was last done about it."""
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Site(Record):
    """A registrable domain, the unit of politeness and of leasing."""

    key: str
    delay_s: float
    """Least time between two requests, from robots and experience."""
    blocked_until: datetime | None
    """No request before this: Retry-After, back-off, host down."""
    failures: int
    lease_owner: str | None
    lease_until: datetime | None
    due_at: datetime | None
    """The earliest time at which the site has work."""
    blocked_for: str | None = None
    """Why there is to be no request: `delay`, `retry_after`, `overloaded`, `blocked_page`, `host_down`, …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Robots(Record):
    """A robots.txt as last fetched; `status` 0 stands for unreachable (RFC 9309 section 2.3.1)."""

    origin: str
    """Scheme, host and port: what RFC 9309 calls the authority."""
    status: int
    body: bytes
    fetched_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined(Record):
    """A page whose processing failed for good, with what is needed to try again."""

    page_id: int
    url: str
    stage: str
    error: str
    attempts: int
    at: datetime
    snapshot_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead(Record):
    """A candidate that the store can take: its address has a canonical key and a site."""

    key: str
    site: str
    candidate: Candidate


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovered(Record):
    """What became of a list of leads."""

    new: tuple[int, ...]
    """Ids of pages that nobody had seen before."""
    again: tuple[int, ...]
    """Ids of known pages that are to be fetched once more, because a listing says they changed."""
    known: int
    """How many others were known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boilerplate(Record):
    """What the store knows of the lines of a text."""

    lines: tuple[int, ...]
    """The hashes that were asked for."""
    held: Mapping[int, tuple[int, int, int]]
    """By slot: the hash that holds it, in how many clusters it was seen, and the last of these."""
    common: frozenset[int]
    """Those of `lines` that many stories share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing(Record):
    """All that goes into the store for one judged page, in one transaction."""

    page: Page
    clean: Clean
    fingerprint: Fingerprint
    content_hash: str
    word_count: int
    decision: Decision
    boilerplate: Boilerplate | None = None
    """What was known of the text's lines; None has it looked up."""
    standing: int = 1
    """As a candidate for its cluster's primary: 0 the credited source itself, 1 uncredited, 2 a credited copy,
    3 one that names another site's address as the original's."""
    keys: tuple[int, ...] = ()
    """Those of the fingerprint's keys by which the article is to be found."""
