"""Ingestion by hand: files of many kinds to pages in the store, each as if it had been fetched."""

import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from crawler.addresses import LOGIN_IN_URL, has_login
from crawler.urls import canonical_key, site_of
from storage import pages, sites, snapshots, sources
from storage.archive import iterate
from storage.database import Tx
from storage.errors import ArchiveDamaged, DiscoveryError, InputError
from storage.masking import masked
from storage.records import Candidate, Exchange, Headers, Hints, Lead, Record, Via
from tasks import jsonl
from tasks.sniff import HEAD, Kind, as_text, gunzip, kind_of

_MEMORY = 16_000_000
"""Bytes of standard input that are held in memory; more goes to a temporary file."""
_SAVED_FROM = re.compile(r"<!--\s*saved from url=\(\d+\)(\S+)", re.IGNORECASE)  # written by browsers that save a page
_NOWHERE = "https://unknown.invalid/"
"""Where a feed file came from if nobody says (RFC 2606); its relative addresses lead nowhere."""
_HTML_TYPES = ("text/html", "application/xhtml+xml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item(Record):
    """A page's bytes, ready to be stored, and what the file says of it besides."""

    where: str
    exchange: Exchange
    hints: Hints = Hints()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(Record):
    """An address that a feed names without its whole text: to be fetched by a crawl."""

    where: str
    candidate: Candidate


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped(Record):
    """A part of a file that is no article by its nature, like a picture in a WARC file."""

    where: str
    reason: str


Piece = Item | Listed | Skipped | InputError
"""One part of an input; an InputError stands for a part that should have been readable."""


def files_in(path: Path) -> list[Path]:
    """The file, or all files below the folder in the order of their names; hidden ones are left out."""
    if not path.is_dir():
        return [path]
    found = (one for one in path.rglob("*") if one.is_file())
    return sorted(one for one in found if not any(part.startswith(".") for part in one.relative_to(path).parts))


def read_path(path: Path, now: datetime, *, most: int, url: str | None = None) -> Iterator[Piece]:
    """The pieces of a file. `most` is the greatest size in bytes of one page; `url` the address it was saved from.

    Raises InputError, naming the file, when it cannot be read, is empty, or is of no kind that can be ingested.
    """
    try:
        with path.open("rb") as file:
            yield from read_file(str(path), file, now, most=most, url=url)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error


def read_stream(name: str, stream: IO[bytes], now: datetime, *, most: int, url: str | None = None) -> Iterator[Piece]:
    """The same for a stream that cannot be rewound."""
    with tempfile.SpooledTemporaryFile(_MEMORY) as file:
        shutil.copyfileobj(stream, file)
        file.seek(0)
        yield from read_file(name, file, now, most=most, url=url)


def read_file(name: str, file: IO[bytes], now: datetime, *, most: int, url: str | None = None) -> Iterator[Piece]:
    """The same for an open file that stands at its beginning and can be rewound."""
    head = file.read(HEAD)
    file.seek(0)
    kind = kind_of(head)
    if not isinstance(kind, Kind):
        raise InputError(f"{name}: {kind}")
    if kind is Kind.WARC:
        yield from _warc(name, file, now, most)
        return
    data = _whole(name, file, most if kind in (Kind.HTML, Kind.TEXT) else None)
    if kind is Kind.JSON and not _is_json_feed(data):
        yield from _json(name, data, now)
    elif kind in (Kind.LISTING, Kind.JSON):
        yield from _listing(name, data, now, url)
    else:
        yield Item(where=name, exchange=_page(data, kind, now, url))


def put(tx: Tx, item: Item, now: datetime) -> int:
    """Store a piece as a fetched page of the manual source; returns the page's id. To be processed next."""
    lead = lead_of(Candidate(url=item.exchange.url, via=Via.MANUAL, hints=item.hints))
    pages.discover(tx, sources.manual(tx, now).id, [lead], now)
    page = pages.find(tx, lead.key)
    assert page is not None
    pages.fetched(tx, page.id, snapshots.keep(tx, page.id, item.exchange), now)
    sites.refresh(tx, [page.site])  # it was to be fetched for a moment; now nobody need visit its site
    return page.id


def want(tx: Tx, candidate: Candidate, now: datetime) -> int:
    """Have an address fetched by the next crawl, again if it was before; returns the page's id. Raises InputError."""
    lead = lead_of(candidate)
    pages.discover(tx, sources.manual(tx, now).id, [lead], now, priority=1)
    page = pages.find(tx, lead.key)
    assert page is not None
    pages.refetch(tx, [page.id], now)
    sites.refresh(tx, [page.site], urgent=True)
    return page.id


def lead_of(candidate: Candidate) -> Lead:
    """The candidate with its key and site; an address that is none of the web is its own key. Raises InputError."""
    if candidate.url.startswith("urn:"):
        return Lead(key=candidate.url, site=sources.MANUAL, candidate=candidate)
    if has_login(candidate.url):
        raise InputError(f"{masked(candidate.url)}: {LOGIN_IN_URL}; leave the user and the password out")
    try:
        return Lead(key=canonical_key(candidate.url), site=site_of(candidate.url), candidate=candidate)
    except ValueError as error:
        raise InputError(str(error)) from error


def _whole(name: str, file: IO[bytes], most: int | None) -> bytes:
    data = file.read() if most is None else file.read(most + 1)
    if data[:2] == b"\x1f\x8b":
        unpacked = gunzip(data, most or 1_000_000_000)
        if unpacked is None:
            raise InputError(f"{name}: is damaged gzip data")
        data = unpacked
    if most is not None and len(data) > most:
        raise InputError(f"{name}: is larger than {most} bytes; the setting max_bytes allows more")
    if not data.strip(b"\x00\xef\xbb\xbf\xfe\xff \t\r\n"):
        raise InputError(f"{name}: is empty")
    return data


def _page(data: bytes, kind: Kind, now: datetime, url: str | None) -> Exchange:
    address = url or (_declared_url(data) if kind is Kind.HTML else None) or _urn(data)
    media = "text/html" if kind is Kind.HTML else "text/plain"
    return Exchange(url=address, status=200, headers=(("Content-Type", media),), body=data, fetched_at=now)


def _urn(data: bytes) -> str:
    return f"urn:sha256:{hashlib.sha256(data).hexdigest()}"


def _declared_url(data: bytes) -> str | None:
    """The address that a saved page names as its own: by the browser that saved it, else by its own markup."""
    from selectolax.lexbor import LexborHTMLParser  # noqa: PLC0415 - only HTML files need it

    from tasks.decode import decode  # noqa: PLC0415 - likewise

    text = decode(data, None).text
    tree = LexborHTMLParser(text)
    saved = _SAVED_FROM.search(text[:4000])
    found = [saved[1] if saved else None]
    for selector, attribute in (("link[rel~=canonical]", "href"), ('meta[property="og:url"]', "content")):
        node = tree.css_first(selector)
        found.append(node.attributes.get(attribute) if node else None)
    return next((url.strip() for url in found if url and _is_web(url.strip())), None)


def _is_web(url: str) -> bool:
    try:
        return bool(canonical_key(url)) and not has_login(url)
    except ValueError:
        return False


def _warc(name: str, file: IO[bytes], now: datetime, most: int) -> Iterator[Piece]:
    try:
        for url, status, headers, body, date in iterate(file):
            where = f"{name}: {masked(url)}"
            reason = _not_a_page(url, status, headers, body, most)
            if reason is not None:
                yield Skipped(where=where, reason=reason)
                continue
            kept = Exchange(url=url, status=status, headers=headers, body=body, fetched_at=date or now)
            yield Item(where=where, exchange=kept)
    except ArchiveDamaged as error:
        yield InputError(f"{name}: {error}")


def _not_a_page(url: str, status: int, headers: Headers, body: bytes, most: int) -> str | None:
    media = next((value for key, value in headers if key.lower() == "content-type"), "")
    if not 200 <= status <= 299:
        return f"http_{status}"
    if media and not media.strip().lower().startswith(_HTML_TYPES):
        return "not_html"
    if not media and kind_of(body[:HEAD]) is not Kind.HTML:
        return "not_html"
    if has_login(url):
        return LOGIN_IN_URL
    if not (url.startswith("urn:") or _is_web(url)):
        return "bad_url"
    return "too_large" if len(body) > most else None


def _json(name: str, data: bytes, now: datetime) -> Iterator[Piece]:
    for where, record in jsonl.records(name, as_text(data) or ""):
        if isinstance(record, InputError):
            yield record
            continue
        try:
            exchange, hints = jsonl.exchange_of(where, record, now)
            lead_of(Candidate(url=exchange.url, via=Via.MANUAL))
        except InputError as error:
            yield error if str(error).startswith(where) else InputError(f"{where}: url: {error}")
            continue
        yield Item(where=where, exchange=exchange, hints=hints)


def _is_json_feed(data: bytes) -> bool:
    return b"jsonfeed.org/version" in data[:HEAD]


def _listing(name: str, data: bytes, now: datetime, url: str | None) -> Iterator[Piece]:
    """A feed's entries: those that carry their whole text are pages, the others are to be fetched."""
    for candidate in _candidates(name, data, now, url):
        where = f"{name}: {masked(candidate.url)}"
        if has_login(candidate.url):
            yield InputError(f"{where}: {LOGIN_IN_URL}; leave the user and the password out")
            continue
        if candidate.url.startswith(_NOWHERE):
            yield InputError(f"{name}: {candidate.url[len(_NOWHERE) - 1 :]} is a relative address; --url says to what")
            continue
        body = candidate.hints.content_html
        if not body or not body.strip():
            yield Listed(where=where, candidate=candidate)
            continue
        headers = (("Content-Type", "text/html; charset=utf-8"),)
        page = Exchange(
            url=candidate.url, status=200, headers=headers, body=body.encode("utf-8", "replace"), fetched_at=now
        )
        yield Item(where=where, exchange=page, hints=candidate.hints)


def _candidates(name: str, data: bytes, now: datetime, url: str | None) -> tuple[Candidate, ...]:
    from crawler.discovery import discover  # noqa: PLC0415 - only listings need it

    try:
        found = discover(data, url=url or _NOWHERE, now=now)
    except (DiscoveryError, ValueError) as error:
        raise InputError(f"{name}: {error}") from error
    if found.children:
        raise InputError(f"{name}: is an index of sitemaps; 'copydesk sources add' takes its address")
    if not found.candidates:
        raise InputError(f"{name}: lists nothing that has an address")
    return found.candidates
