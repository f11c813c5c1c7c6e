"""One state of the world: which path of which site answers with what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import islice

from console.demo import chrome, feeds, pages, sitemaps
from console.demo.articles import BASE_PER_SITE, Story, slugify, stories
from console.demo.quirks import ODDITIES, Oddity
from console.demo.responses import Response, redirect
from console.demo.sites import Site

Route = Callable[[], Response]

EXTRA_PER_PAGE = 500
XML = "application/xml; charset=utf-8"
RSS = "application/rss+xml; charset=utf-8"
ATOM = "application/atom+xml; charset=utf-8"
JSON = "application/feed+json; charset=utf-8"
GZIP = "application/gzip"


class Edition:
    """Everything that the sites serve in one state. Pages are rendered when asked for."""

    def __init__(self, sites: Mapping[str, Site], now: datetime, *, extra: int, state: int) -> None:
        self.sites = sites
        self.state = state
        self.stories = stories(now, extra=extra, state=state)
        self.by_key = {story.key: story for story in self.stories}
        self._by_path = {(story.site, story.path): story for story in self.stories}
        self._base = {name: [s for s in self.stories if s.site == name and "extra" not in s.lists] for name in sites}
        self._routes = {name: dict(self._routes_of(site)) for name, site in sites.items()}

    def story_at(self, site: str, path: str) -> Story | None:
        """The story whose own page has this path."""
        return self._by_path.get((site, path))

    def answer(self, site: str, path: str) -> Response:
        """What a path of a site answers, passing faults apart."""
        story = self.story_at(site, path)
        if story is not None:
            return self._article(self.sites[site], story)
        route = self._routes[site].get(path)
        return route() if route else Response(status=404, body=self._missing(self.sites[site]))

    def listed(self, site: str, listing: str) -> list[Story]:
        """A site's stories that a listing shows, the newest first."""
        return [story for story in self.stories if story.site == site and listing in story.lists]

    def _article(self, site: Site, story: Story) -> Response:
        page = pages.article_page(site, story, self._others(story))
        return Response(body=page, content_type=pages.content_type(story), modified=story.modified)

    def _others(self, story: Story) -> Sequence[Story]:
        """Four other stories of the site: the same ones in both states, so that only what should change does."""
        keys = (f"{story.site}-{(len(story.slug) + step * 5) % BASE_PER_SITE}" for step in range(5))
        return [self.by_key[key] for key in keys if key != story.key][:4]

    def _missing(self, site: Site) -> bytes:
        return chrome.missing_page(site, self._base[site.name][:4]).encode()

    def _routes_of(self, site: Site) -> Iterator[tuple[str, Route]]:
        yield "/robots.txt", partial(self._robots, site)
        yield from self._plain(site)
        yield from {"harbour": self._harbour, "valley": self._valley, "coast": self._coast}[site.name](site)
        yield from self._extra(site)
        yield from self._twins(site)
        for oddity in ODDITIES:
            if oddity.site == site.name:
                yield oddity.path, partial(self._oddity, site, oddity)

    def _robots(self, site: Site) -> Response:
        maps = {"harbour": ("/news-sitemap.xml",), "coast": ("/sitemap_index.xml",)}.get(site.name, ())
        return Response(body=sitemaps.robots(site, maps), content_type="text/plain; charset=utf-8")

    def _plain(self, site: Site) -> Iterator[tuple[str, Route]]:
        """Home, sections and the pages of the footer."""
        yield "/", partial(self._front, site, self._base[site.name][:12], site.title)
        for name in chrome.SECTIONS:
            found = [story for story in self._base[site.name] if story.draft.section == name]
            yield f"/sections/{slugify(name)}", partial(self._front, site, found, name)
        for path in chrome.NOT_ARTICLES:
            if not path.startswith("/sections/"):
                yield path, partial(lambda path: _html(chrome.plain_page(site, path)), path)

    def _front(self, site: Site, shown: Sequence[Story], title: str) -> Response:
        return _html(chrome.front_page(site, shown, title))

    def _harbour(self, site: Site) -> Iterator[tuple[str, Route]]:
        news = self.listed("harbour", "news")
        twins = [self.by_key["harbour-3"].twin("print"), self.by_key["harbour-5"].twin("amp")]
        yield "/feeds/news.rss", lambda: _dated(feeds.rss(site, self.entries(site, "rss")), RSS, news)
        yield "/news-sitemap.xml", lambda: _dated(sitemaps.news(site, news, twins), XML, news)

    def _valley(self, site: Site) -> Iterator[tuple[str, Route]]:
        listed = self.listed("valley", "atom")
        partners = self.listed("valley", "broken")
        yield "/atom.xml", lambda: _dated(feeds.atom(site, self.entries(site, "atom"), "/atom.xml"), ATOM, listed)
        yield "/latest", partial(self._front, site, self.listed("valley", "latest"), "Latest news")
        yield "/feeds/partners.xml", lambda: _dated(feeds.broken_rss(site, self.entries(site, "broken")), XML, partners)

    def _coast(self, site: Site) -> Iterator[tuple[str, Route]]:
        listed = self.listed("coast", "json")
        every = self.listed("coast", "sitemap")
        half = len(every) // 2
        parts = {"/sitemaps/news-1.xml": every[:half], "/sitemaps/news-2.xml": every[half:-4]}
        archive = "/sitemaps/archive.xml.gz"
        yield "/feed.json", lambda: _dated(feeds.json_feed(site, self.entries(site, "json")), JSON, listed)
        yield "/sitemap_index.xml", lambda: Response(body=sitemaps.index(site, [*parts, archive]), content_type=XML)
        for path, part in parts.items():
            yield path, partial(self._sitemap, site, part)
        yield archive, lambda: Response(body=sitemaps.zipped(sitemaps.urlset(site, every[-4:])), content_type=GZIP)

    def _sitemap(self, site: Site, shown: Sequence[Story]) -> Response:
        return _dated(sitemaps.urlset(site, shown), XML, shown)

    def _extra(self, site: Site) -> Iterator[tuple[str, Route]]:
        """The extra stories: a sitemap index, and a paged Atom feed; both in pages of 500."""
        listed = self.listed(site.name, "extra")
        chunks = [listed[start : start + EXTRA_PER_PAGE] for start in range(0, len(listed), EXTRA_PER_PAGE)]
        maps = [f"/sitemaps/extra-{number}.xml" for number in range(1, len(chunks) + 1)]
        yield "/sitemap-extra.xml", lambda: Response(body=sitemaps.index(site, maps), content_type=XML)
        for number, (path, chunk) in enumerate(zip(maps, chunks, strict=True), start=1):
            yield path, partial(self._sitemap, site, chunk)
            onward = f"/feeds/extra-{number + 1}.atom" if number < len(chunks) else None
            yield f"/feeds/extra-{number}.atom", partial(self._extra_feed, site, number, chunk, onward)

    def _extra_feed(self, site: Site, number: int, chunk: Sequence[Story], onward: str | None) -> Response:
        found = [feeds.entry_of(site, story, "extra") for story in chunk]
        return _dated(feeds.atom(site, found, f"/feeds/extra-{number}.atom", onward), ATOM, chunk)

    def _twins(self, site: Site) -> Iterator[tuple[str, Route]]:
        """The AMP and print forms of pages, and the pictures."""
        for story in self._base[site.name]:
            yield f"/img/{story.slug}.svg", partial(_picture, site, story)
            for kind in story.twins:
                yield story.twin(kind), partial(_twin, site, story, kind)

    def _oddity(self, site: Site, oddity: Oddity) -> Response:
        if oddity.kind == "alias":
            target = self.by_key[oddity.target]
            return redirect(self.sites[target.site].url(target.path))
        if oddity.kind == "redirect_loop":
            return redirect(site.url(oddity.target), 302)
        status = {"soft_404": 200, "http_404": 404, "http_410": 410}[oddity.kind]
        return Response(status=status, body=self._missing(site))

    def entries(self, site: Site, feed: str) -> list[feeds.Entry]:
        """What a feed shows: its stories, and the oddities that it lists among them."""
        found = [
            feeds.entry_of(site, story, feed, self._link(site, story, feed)) for story in self.listed(site.name, feed)
        ]
        odd = [
            self._odd_entry(site, oddity) for oddity in ODDITIES if (oddity.site, oddity.listing) == (site.name, feed)
        ]
        return _spread(odd, found)

    def _link(self, site: Site, story: Story, feed: str) -> str | None:
        """One story is listed by its AMP form only."""
        return site.url(story.twin("amp")) if (story.key, feed) == ("coast-2", "json") else None

    def _odd_entry(self, site: Site, oddity: Oddity) -> feeds.Entry:
        model = (
            self.by_key[oddity.target or f"{site.name}-0"] if oddity.kind == "alias" else self.by_key[f"{site.name}-0"]
        )
        return feeds.Entry(
            link=site.url(oddity.path),
            guid=f"tag:{site.name}.example,2026:{slugify(oddity.path)}",
            title=oddity.title or model.title,
            published=model.published,
            updated=model.modified,
            section=model.draft.section,
        )


def _spread(odd: Iterable[feeds.Entry], regular: Sequence[feeds.Entry]) -> list[feeds.Entry]:
    """The odd ones among the regular ones, one after every second."""
    rest = iter(regular)
    mixed: list[feeds.Entry] = []
    for entry in odd:
        mixed += [*islice(rest, 2), entry]
    return [*mixed, *rest]


def _picture(site: Site, story: Story) -> Response:
    return Response(body=chrome.picture(site, story.slug).encode(), content_type="image/svg+xml")


def _twin(site: Site, story: Story, kind: str) -> Response:
    page = pages.amp_page if kind == "amp" else pages.print_page
    return Response(body=page(site, story), modified=story.modified)


def _html(page: str) -> Response:
    return Response(body=page.encode())


def _dated(body: bytes, kind: str, shown: Sequence[Story]) -> Response:
    """A listing, last modified when the newest of what it shows was."""
    newest = max((story.modified for story in shown), default=None)
    return Response(body=body, content_type=kind, modified=newest)
