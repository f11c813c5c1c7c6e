"""The catalogue: which stories each site has in each state of the world, and what is special about them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count

from console.demo.texts import Draft, compose, headline, load, written

BASE_PER_SITE = 18
"""Generated stories of each site, beside those written by hand and the extra ones."""

SITES = ("harbour", "valley", "coast")
AGENCY = "Meridian Press Agency"


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One article in one state of the world. `draft` gives its words; generated ones are written when asked for."""

    key: str
    site: str
    path: str
    title: str
    published: datetime
    modified: datetime
    lists: frozenset[str]
    """Names of the listings that show it: rss news atom latest broken json sitemap extra."""
    seed: str = ""
    """What a generated story's words grow from."""
    fixed: Draft | None = None
    """The words of a story written by hand."""
    agency: str | None = None
    correction: str | None = None
    live: bool = False
    paywall: bool = False
    twins: frozenset[str] = frozenset()
    """Which other forms of the page exist: amp, print."""
    charset: str = "utf-8"
    declared: str = "header"
    """Where the page names its character set: header, meta or nowhere."""
    fresh_chrome: bool = False
    """That the page's surroundings were redesigned."""

    @property
    def draft(self) -> Draft:
        """The words. Cheap enough (0.1 ms) to be written at each request."""
        return self.fixed or compose(self.seed)

    @property
    def slug(self) -> str:
        """The last part of the path."""
        return self.path.rsplit("/", 1)[-1]

    def twin(self, kind: str) -> str:
        """The path of another form of the page."""
        return f"/{kind}{self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Special:
    """How a hand-written story is placed: the site, its age in minutes, and the fields of Story that it sets."""

    key: str
    site: str
    age: int
    lists: str
    slug: str = ""
    agency: str | None = None
    live: bool = False
    paywall: bool = False
    twins: frozenset[str] = frozenset()
    charset: str = "utf-8"
    declared: str = "header"


_SPECIALS = (
    _Special(key="wire", site="harbour", age=190, lists="rss news", agency=AGENCY),
    _Special(key="wire_cut", site="coast", age=150, lists="json sitemap", agency=AGENCY),
    _Special(key="changed", site="valley", age=300, lists="atom latest"),
    _Special(key="cosmetic", site="valley", age=1500, lists="atom latest"),
    _Special(key="paywall", site="harbour", age=420, lists="rss news", paywall=True),
    _Special(key="live", site="coast", age=95, lists="json sitemap", live=True),
    _Special(key="legacy", site="harbour", age=610, lists="rss news", charset="windows-1252", declared="nowhere"),
    # The page says iso-8859-1 and means windows-1252, as the web does (WHATWG Encoding, label table).
    _Special(key="de1", site="valley", age=700, lists="atom", charset="windows-1252", declared="meta"),
    _Special(key="de2", site="coast", age=820, lists="sitemap"),
    _Special(key="fr1", site="valley", age=910, lists="latest"),
    _Special(key="fr2", site="coast", age=1030, lists="json sitemap"),
    _Special(key="ja1", site="coast", age=1200, lists="json sitemap", slug="shiomi-letterpress-workshop"),
    _Special(key="embargo", site="harbour", age=45, lists="rss news"),
)

# Which listings show the generated stories of a site: (from this number on, the listings).
_LISTS = {
    "harbour": ((0, "rss news"), (14, "news")),
    "valley": ((0, "atom"), (8, "atom latest"), (10, "latest"), (14, "broken")),
    "coast": ((0, "json sitemap"), (9, "sitemap")),
}

# Generated stories with something special about them.
_TWINS = {"coast-2": frozenset({"amp"}), "harbour-3": frozenset({"print"}), "harbour-5": frozenset({"amp", "print"})}


def stories(now: datetime, *, extra: int = 0, state: int = 1) -> tuple[Story, ...]:
    """All stories, newest first, as they stand in state 1 or 2. `now` is the time at which the world starts."""
    now = now.replace(microsecond=0)
    found = [*_specials(now), *_generated(now), *_extras(now, extra)]
    if state == 2:
        found = [*(_second_state(story, now) for story in found), *_newcomers(now)]
    return tuple(sorted(found, key=lambda story: (-story.published.timestamp(), story.key)))


def _specials(now: datetime) -> Iterator[Story]:
    for spec in _SPECIALS:
        draft = _draft_of(spec.key)
        at = now - timedelta(minutes=spec.age)
        slug = spec.slug or slugify(draft.title)
        yield Story(
            key=spec.key,
            site=spec.site,
            path=f"/embargo/{slug}" if spec.key == "embargo" else _path(spec.site, draft.section, at, slug, spec.age),
            title=draft.title,
            published=at,
            modified=at + timedelta(minutes=50) if spec.live else at,
            lists=frozenset(spec.lists.split()),
            fixed=draft,
            agency=spec.agency,
            live=spec.live,
            paywall=spec.paywall,
            twins=spec.twins,
            charset=spec.charset,
            declared=spec.declared,
        )


def _draft_of(key: str) -> Draft:
    if key != "wire_cut":
        return written(key)
    # The second customer of the agency drops the last paragraph to make it fit, and writes its own subtitle.
    whole = written("wire")
    return replace(whole, subtitle="Halcyon Trader is towed to Ravenstow", paragraphs=whole.paragraphs[:-1])


def _generated(now: datetime) -> Iterator[Story]:
    taken: set[str] = set()
    for number in range(BASE_PER_SITE * len(SITES)):
        site, index = SITES[number % len(SITES)], number // len(SITES)
        lists = frozenset([names for start, names in _LISTS[site] if start <= index][-1].split())
        yield _compose(f"{site}-{index}", site, now - timedelta(minutes=30 + 61 * number), lists, taken, 2000 + number)


def _extras(now: datetime, extra: int) -> Iterator[Story]:
    taken: set[str] = set()
    for number in range(extra):
        site = SITES[number % len(SITES)]
        at = now - timedelta(days=3, minutes=5 * number)
        yield _compose(f"extra-{number}", site, at, frozenset({"extra"}), taken, 10_000 + number)


def _newcomers(now: datetime) -> Iterator[Story]:
    """The three stories that come with the second state."""
    taken: set[str] = set()
    for number, (site, lists) in enumerate(
        (("harbour", "rss news"), ("valley", "atom latest"), ("coast", "json sitemap"))
    ):
        yield _compose(f"{site}-new", site, now - timedelta(minutes=1), frozenset(lists.split()), taken, 3000 + number)


def _compose(key: str, site: str, at: datetime, lists: frozenset[str], taken: set[str], number: int) -> Story:
    """Place a generated story. A title that another one has is avoided by trying the next seed."""
    seeds = (key if turn == 0 else f"{key}.{turn}" for turn in count())
    seed = next(seed for seed in seeds if headline(seed) not in taken)
    title = headline(seed)
    taken.add(title)
    slug = slugify(title) if lists != {"extra"} else f"{slugify(title)}-{number}"
    path = _path(site, "news", at, slug, number)
    twins = _TWINS.get(key, frozenset())
    return Story(
        key=key,
        site=site,
        path=path,
        title=title,
        seed=seed,
        published=at,
        modified=at,
        lists=lists,
        twins=twins,
    )


def _second_state(story: Story, now: datetime) -> Story:
    at = now - timedelta(minutes=2)
    if story.key == "changed":
        draft = written("changed", body="body2", title="title2")
        return replace(
            story, title=draft.title, fixed=draft, modified=at, correction=load("written")["changed"]["correction"]
        )
    if story.key == "cosmetic":
        draft = replace(story.draft, paragraphs=tuple(_typeset(text) for text in story.draft.paragraphs))
        return replace(story, fixed=draft, modified=at, fresh_chrome=True)
    return story


def _typeset(text: str) -> str:
    """The same words in better typography: curly quotes, and a fixed space after a number."""
    return re.sub(r"(\d) (?=\w)", "\\1\N{NO-BREAK SPACE}", re.sub(r'"([^"]*)"', "“\\1”", text))


def _path(site: str, section: str, at: datetime, slug: str, number: int) -> str:
    if site == "harbour":
        return f"/news/{slug}"
    if site == "valley":
        return f"/{slugify(section)}/{at:%Y/%m/%d}/{slug}"
    return f"/story/{number}/{slug}"


def slugify(title: str) -> str:
    """A title as the last part of a path: ASCII words joined by hyphens."""
    plain = unicodedata.normalize("NFKD", title.replace("ß", "ss")).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower().replace("'", "")).strip("-")
