"""What must come out of a correct crawl of the newsroom, as addresses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from console.demo.articles import Story
from console.demo.chrome import NOT_ARTICLES
from console.demo.edition import Edition
from console.demo.quirks import ODDITIES, PASSING


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """The right answers. Every address is absolute and canonical: no query, no fragment."""

    articles: frozenset[str]
    """Articles in the store after the first poll of all sources."""
    articles_after: frozenset[str]
    """Articles in the store after `advance()` and a second poll."""
    versions: Mapping[str, int]
    """Versions of an article after the second poll, where there is more than one."""
    cosmetic: frozenset[str]
    """Articles whose page changes at `advance()` without a change of words: they stay at one version."""
    clusters: frozenset[frozenset[str]]
    """Articles of different sites that belong in one cluster."""
    forbidden: frozenset[str]
    """Listed addresses that robots.txt disallows: never to be requested."""
    rejected: Mapping[str, str]
    """Listed addresses that are no article, and the kind of reason: soft_404, http_404, http_410, redirect_loop."""
    duplicates: Mapping[str, str]
    """Listed addresses that are another way to an article (AMP, print, redirects), and that article."""
    transient: Mapping[str, int]
    """Articles whose first request fails, and the status it gets; the second succeeds."""
    not_articles: frozenset[str]
    """Addresses of navigation: they may be fetched, but no article may come of them."""
    paywalled: frozenset[str]
    """Articles of which the page gives a part only."""
    languages: Mapping[str, str]
    """Language of each article, as a primary subtag."""
    titles: Mapping[str, str]
    """Title of each article after the second poll."""


def tell(first: Edition, second: Edition) -> Truth:
    """Work out the right answers from the two states of the world."""

    def url(story: Story) -> str:
        return first.sites[story.site].url(story.path)

    def at(key: str) -> str:
        return url(second.by_key[key])

    open_stories = [story for story in second.stories if story.key != "embargo"]
    return Truth(
        articles=frozenset(url(story) for story in first.stories if story.key != "embargo"),
        articles_after=frozenset(map(url, open_stories)),
        versions={at("changed"): 2},
        cosmetic=frozenset({at("cosmetic")}),
        clusters=frozenset({frozenset({at("wire"), at("wire_cut")})}),
        forbidden=frozenset({at("embargo")}),
        rejected={first.sites[o.site].url(o.path): o.kind for o in ODDITIES if o.listing and o.kind != "alias"},
        duplicates=_duplicates(first),
        transient={at(key): status for key, status in PASSING.items()},
        not_articles=frozenset(site.url(path) for site in first.sites.values() for path in ("/", *NOT_ARTICLES)),
        paywalled=frozenset(url(story) for story in open_stories if story.paywall),
        languages={url(story): story.draft.language for story in open_stories},
        titles={url(story): story.title for story in open_stories},
    )


def _duplicates(edition: Edition) -> dict[str, str]:
    aliases = {edition.sites[o.site].url(o.path): edition.by_key[o.target] for o in ODDITIES if o.kind == "alias"}
    for key, kind in (("coast-2", "amp"), ("harbour-3", "print"), ("harbour-5", "amp")):
        story = edition.by_key[key]
        aliases[edition.sites[story.site].url(story.twin(kind))] = story
    return {listed: edition.sites[story.site].url(story.path) for listed, story in aliases.items()}
