"""From a source's answer to what it lists, in the light of what the source was before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crawler import sitemap_memory
from crawler.answers import Answer
from crawler.discovery import Listing
from crawler.etiquette import manner_for
from crawler.listing import read_listing
from crawler.shapes import NOTHING, Shapes, learn
from crawler.sitemap_walk import Found, walk
from crawler.visit import Visit
from crawler.websub import links_of
from storage import memory
from storage.errors import DiscoveryError
from storage.records import Candidate, Source, SourceKind

LISTING, SITEMAP = "listing", "sitemap"
"""Topics of a source's memory."""

_KNOWN_ARTICLES = 500
"""Of a site, the newest, from which the shapes of its addresses are learned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one answer said."""

    outcome: str
    """`ok`, `incomplete`, or the code of the failure."""
    candidates: tuple[Candidate, ...] = ()
    ttl_s: float | None = None
    notes: tuple[str, ...] = ()
    whole: bool = False
    """Whether the body was all there is, so that its validators stand for what was read."""
    hub: str | None = None
    topic: str | None = None
    """The address that the feed gives as its own."""
    learned: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What to remember of the source, by topic."""


async def read(visit: Visit, source: Source, answer: Answer) -> Reading:
    """Read a listing.

    What was a feed with entries and is HTML or empty now is a failure (`not_a_feed`, `empty_feed`), never the end of
    its articles: a challenge, an error page or a template without data looks like that.
    """
    known = await visit.bench.ledger.look(lambda tx: memory.recall(tx, source.id, LISTING))
    expected = source.config.kind
    if expected is SourceKind.AUTO and known.get("kind") == SourceKind.FEED:
        expected = SourceKind.FEED
    try:
        shapes = await _shapes(visit, source, answer)
        listing = await read_listing(answer, expected, shapes, source.config.timezone)
    except DiscoveryError as error:
        return Reading(outcome=error.code, notes=(error.detail,))
    if listing.kind is SourceKind.FEED and not listing.candidates and known.get("listed"):
        return Reading(outcome="empty_feed", notes=_remarks(listing))
    now_known = {"kind": listing.kind.value, "listed": bool(listing.candidates) or bool(known.get("listed"))}
    learned: dict[str, Mapping[str, Any]] = {LISTING: now_known} if now_known != known else {}
    if listing.kind is SourceKind.SITEMAP:
        return await _sitemap(visit, source, answer, listing, learned)
    links = links_of(answer.headers)
    return Reading(
        outcome="ok",
        candidates=listing.candidates,
        ttl_s=listing.ttl_s,
        notes=_remarks(listing),
        whole=not listing.truncated,
        hub=links.get("hub") or listing.hub,
        topic=links.get("self") or listing.self_url,
        learned=learned,
    )


async def _sitemap(
    visit: Visit, source: Source, answer: Answer, listing: Listing, learned: Mapping[str, Mapping[str, Any]]
) -> Reading:
    """Read a sitemap, and for an index its files; an index may be unchanged when its files are not."""
    stored = await visit.bench.ledger.look(lambda tx: memory.recall(tx, source.id, SITEMAP))
    known = sitemap_memory.load(stored)
    candidates, notes, outcome = listing.candidates, _remarks(listing), "ok"
    if listing.children:
        config = source.config
        seen, headers = {config.url, answer.url}, manner_for(visit, config).headers
        found = Found(memory=known, headers=headers, zone=config.timezone)
        await walk(visit, listing, found, seen=seen, watched_since=source.added_at)
        candidates, notes, known = (*candidates, *found.candidates), (*notes, *found.notes), found.memory
        outcome = "incomplete" if found.incomplete else "ok"
    honest, known = sitemap_memory.honest_entries(candidates, known, answer.at)
    plain = sitemap_memory.dump(known)
    return Reading(
        outcome=outcome,
        candidates=honest,
        notes=notes,
        whole=not (listing.children or listing.truncated),
        learned=dict(learned) | ({SITEMAP: plain} if plain != stored else {}),
    )


async def _shapes(visit: Visit, source: Source, answer: Answer) -> Shapes:
    """The shapes of the site's article addresses, where they may be of use: for a page of links."""
    may_be_html = b"<html" in answer.body[:5000].lower() or b"<body" in answer.body[:20_000].lower()
    if source.config.kind not in (SourceKind.SECTION, SourceKind.AUTO) or not may_be_html:
        return NOTHING
    site = visit.site.key
    return learn(await visit.bench.ledger.look(lambda tx: memory.article_addresses(tx, site, _KNOWN_ARTICLES)))


def _remarks(listing: Listing) -> tuple[str, ...]:
    counted = (("unusable", listing.unusable), ("over the limit", listing.surplus))
    remarks = [f"{count} entries {what}" for what, count in counted if count]
    remarks += ["truncated"] if listing.truncated else []
    remarks += [f"feeds: {', '.join(listing.feeds[:5])}"] if listing.feeds else []
    return tuple(remarks)
