"""Asking a site what it offers: its rules, then the address itself, then what these announce; a few requests in all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit

from crawler import robots as rules
from crawler.answers import Answer, Trouble, failure
from crawler.discovery import Listing
from crawler.listing import read_listing
from crawler.offer import (
    Offer,
    Offered,
    Rules,
    Signal,
    best,
    offered,
    signals_of_page,
    signals_of_robots,
    signals_of_tdmrep,
)
from crawler.urls import origin_of, site_of
from crawler.visit import Visit
from storage import sites
from storage.errors import DiscoveryError
from storage.records import SourceKind

MOST = 12
"""Listings that are looked at."""
MOST_FILES = 3
"""Files of one sitemap index that are looked at, those of news first."""

_USUAL_FEEDS = ("/feed", "/rss.xml", "/feed.xml", "/atom.xml", "/index.xml")
"""Tried where a page announces none: what widespread publishing systems serve."""


class Survey:
    """One probe of one address."""

    def __init__(self, visit: Visit, url: str) -> None:
        self.visit = visit
        self.url = url
        self.listings: list[Offered] = []
        self.signals: list[Signal] = []
        self.failed: list[tuple[str, str]] = []
        self._asked: set[str] = set()

    async def run(self) -> Offer:
        """Ask, and say what was found."""
        known = await self._rules()
        answer = await self._get(self.url)
        if isinstance(answer, Trouble):
            return self._offer(answer.code, known)
        page = await self._look_at(answer)
        announced = [*(page.feeds if page else ()), *(known.sitemaps if known else ())]
        await self._follow(announced)
        await self._try_the_usual(answer.url, known)
        await self._reservations(answer.url)
        return self._offer(answer.url, known)

    def _offer(self, answered: str, known: Rules | None) -> Offer:
        now = self.visit.bench.now()
        return Offer(
            url=self.url,
            answered=answered,
            rules=known,
            listings=tuple(self.listings),
            signals=tuple(dict.fromkeys(self.signals)),
            failed=tuple(self.failed),
            best=best(self.listings, now),
        )

    async def _rules(self) -> Rules | None:
        verdict, origin = await self.visit.bench.gate.verdict(self.url), origin_of(self.url)
        stored = await self.visit.bench.ledger.look(lambda tx: sites.robots_of(tx, [origin]))
        found = stored.get(origin)
        if found is None:
            return None
        if 200 <= found.status < 300:
            self.signals += signals_of_robots(found.body.decode("utf-8", "replace"))
        agent = self.visit.bench.settings.user_agent
        return Rules(
            status=found.status,
            allowed=verdict.code is None,
            crawl_delay_s=rules.crawl_delay(found, agent),
            sitemaps=rules.sitemaps(found),
        )

    async def _get(self, url: str) -> Answer | Trouble:
        self._asked.add(url)
        answer = await self.visit.reach(url, anywhere=url == self.url)
        if isinstance(answer, Answer):
            self._asked.add(answer.url)
            if code := failure(answer):
                return Trouble(code=code, status=answer.status)
        return answer

    async def _look_at(self, answer: Answer) -> Listing | None:
        try:
            listing = await read_listing(answer, SourceKind.AUTO)
        except DiscoveryError as error:
            self.failed.append((answer.url, error.code))
            return None
        if listing.kind in (SourceKind.SECTION, SourceKind.PAGE):
            self.signals += signals_of_page(answer.headers, answer.body[:200_000].decode("utf-8", "replace"))
        if listing.children:
            await self._look_into(listing)
        elif listing.kind is not SourceKind.PAGE:
            self.listings.append(offered(answer.url, listing, answer.at))
        return listing

    async def _look_into(self, index: Listing) -> None:
        """Look at a few files of an index, those of news first: they tell what it is worth."""
        oldest = datetime.min.replace(tzinfo=UTC)
        newest = sorted(index.children, key=lambda child: child.lastmod or oldest, reverse=True)
        ranked = sorted(newest, key=lambda child: "news" not in urlsplit(child.url).path.lower())
        await self._follow((child.url for child in ranked[:MOST_FILES]), report=False)

    async def _follow(self, urls: Iterable[str], *, report: bool = True) -> None:
        for url in self._unasked(urls):
            answer = await self._get(url)
            if isinstance(answer, Answer):
                await self._look_at(answer)
            elif report:
                self.failed.append((url, answer.code))

    def _unasked(self, urls: Iterable[str]) -> Iterator[str]:
        for url in urls:
            try:
                own = site_of(url) == self.visit.site.key
            except ValueError:
                own = False
            if own and url not in self._asked and len(self._asked) < MOST and not self.visit.over:
                yield url

    async def _try_the_usual(self, home: str, known: Rules | None) -> None:
        if not any(one.kind == "feed" for one in self.listings):
            for path in _USUAL_FEEDS:
                await self._follow([urljoin(home, path)], report=False)
                if any(one.kind == "feed" for one in self.listings):
                    break
        if not (known and known.sitemaps):
            await self._follow([urljoin(home, "/sitemap.xml")], report=False)

    async def _reservations(self, url: str) -> None:
        answer = await self.visit.reach(urljoin(url, "/.well-known/tdmrep.json"))
        if isinstance(answer, Answer) and failure(answer) is None:
            self.signals += signals_of_tdmrep(answer.body, url)
        answer = await self.visit.reach(urljoin(url, "/ai.txt"))
        kind = (answer.header("content-type") or "") if isinstance(answer, Answer) else ""
        if isinstance(answer, Answer) and failure(answer) is None and kind.startswith("text/plain"):
            lines = answer.body[:2000].decode("utf-8", "replace").splitlines()
            said = [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
            self.signals += [Signal(where="ai.txt", name="line", value=line[:300]) for line in said[:5]]
