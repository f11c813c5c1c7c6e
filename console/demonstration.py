"""The demonstration: crawls the invented newsroom twice by the real path and holds the store against the truth."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console import oneshot, questions
from console.desk import now
from storage import pages, reading, sources
from storage.errors import UsageError
from storage.records import Article
from storage.settings import Settings, load_settings
from storage.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from console.demo.newsroom import Newsroom
    from console.demo.truth import Truth

_MARK = "made-by-copydesk-demo"
"""Name of the file that lets the next demo replace the folder."""
_DELAY_S = "0.02"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What the demonstration came to."""

    first: oneshot.Run
    second: oneshot.Run
    articles: int
    expected: int
    differences: tuple[str, ...]


def fresh_folder(folder: Path, *, keep: bool) -> Path:
    """An empty folder for a demo: an earlier demo's is emptied, or with `keep` left alone for one with a number.

    Raises UsageError for a folder that holds anything else.
    """
    if keep:
        numbered = (folder.with_name(f"{folder.name}-{number}") for number in range(2, 10_000))
        folder = next(one for one in (folder, *numbered) if not one.exists())
    elif folder.exists() and any(folder.iterdir()):
        if not (folder / _MARK).exists():
            raise UsageError(f"{folder} is in use and was not made by a demo; --data names another folder")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARK).touch()
    return folder


def demo_settings(folder: Path, newsroom: "Newsroom", options: Mapping[str, str]) -> Settings:
    """Settings that lead nowhere but to the folder and the newsroom, whatever the environment says."""
    nowhere = {"database": "", "archive": "", "broker": "", "recipes": "", "delay_s": _DELAY_S}
    places = {"data": str(folder), "allow_addresses": ",".join(newsroom.allow_addresses)}
    return load_settings(nowhere | dict(options) | places)


def run(settings: Settings, store: Store, newsroom: "Newsroom", progress: Callable[[str, int, int], None]) -> Result:
    """Watch the newsroom, crawl, let it publish, crawl again, and compare."""
    store.write(lambda tx: _watch(tx, settings, newsroom))
    first = oneshot.run(settings, store, oneshot.Wish(), progress=lambda *at: progress("first crawl", *at))
    early = _early(store, newsroom.truth)
    newsroom.advance()
    store.write(lambda tx: _let_time_pass(tx, newsroom))
    second = oneshot.run(settings, store, oneshot.Wish(), progress=lambda *at: progress("second crawl", *at))
    with store.reading() as tx:
        late = list(differences(tx, newsroom.truth))
        count = reading.counts(tx)["articles"]
    visited = list(_trespasses(newsroom))
    expected = len(newsroom.truth.articles_after)
    return Result(first=first, second=second, articles=count, expected=expected, differences=(*early, *late, *visited))


def differences(tx: "Connection", truth: "Truth") -> Iterator[str]:
    """Where the store after the second crawl is not what the newsroom published."""
    yield from _articles(tx, truth.articles_after)
    found = {article.content.url: article for article in all_articles(tx)}
    titles = {questions.key_of(url): title for url, title in truth.titles.items()}
    versions = {questions.key_of(url): count for url, count in truth.versions.items()}
    for url, article in found.items():
        if article.content.title != titles.get(url, article.content.title):
            yield f"{url}: the title is {article.content.title!r}, not {titles[url]!r}"
        if article.version != versions.get(url, 1):
            yield f"{url}: {article.version} versions, not {versions.get(url, 1)}"
    for group in truth.clusters:
        if len({found[key].cluster_id for url in group if (key := questions.key_of(url)) in found}) != 1:
            yield f"not in one cluster: {', '.join(sorted(group))}"
    yield from _twins(tx, truth)


def all_articles(tx: "Connection") -> Iterator[Article]:
    """Every article, by id."""
    last = 0
    while batch := reading.listed(tx, after=last, limit=500):
        yield from batch
        last = batch[-1].id


def shared(tx: "Connection") -> list[list[Article]]:
    """The clusters of more than one article."""
    groups: dict[int, list[Article]] = {}
    for article in all_articles(tx):
        groups.setdefault(article.cluster_id, []).append(article)
    return [group for group in groups.values() if len(group) > 1]


def _watch(tx: "Connection", settings: Settings, newsroom: "Newsroom") -> None:
    from crawler.urls import site_of

    for config in newsroom.sources:
        sources.add(tx, config, site=site_of(config.url), now=now(), interval_s=settings.min_interval_s)


def _early(store: Store, truth: "Truth") -> list[str]:
    """What is wrong after the first crawl; pages that asked to be fetched later may be missing then."""
    with store.reading() as tx:
        have = {article.content.url for article in all_articles(tx)}
        late = {url for url in truth.transient if questions.key_of(url) not in have}
        return [f"after the first crawl, {line}" for line in _articles(tx, truth.articles - late)]


def _let_time_pass(tx: "Connection", newsroom: "Newsroom") -> None:
    """Make everything due that would be due at the next poll, some minutes later: the sources, and what failed."""
    pages.refetch(tx, questions.waiting(tx), now())
    sources.trigger(tx, [config.name for config in newsroom.sources], now(), fresh=False)


def _articles(tx: "Connection", expected: frozenset[str]) -> Iterator[str]:
    want = {questions.key_of(url) for url in expected}
    have = {article.content.url for article in all_articles(tx)}
    for url in sorted(want - have):
        yield f"{url}: missing; {_state(tx, url)}"
    for url in sorted(have - want):
        yield f"{url}: filed as an article, but it is none"


def _state(tx: "Connection", url: str) -> str:
    page = questions.page_at(tx, url)
    return f"its page is {page.state}, {page.disposition}, {page.reason}" if page else "its address was never seen"


def _twins(tx: "Connection", truth: "Truth") -> Iterator[str]:
    for url, target in truth.duplicates.items():
        filed = questions.article_at(tx, url)
        if filed is None or filed.content.url != questions.key_of(target):
            yield f"{url}: leads to {filed.content.url if filed else 'nothing'}, not to {target}"


def _trespasses(newsroom: "Newsroom") -> Iterator[str]:
    asked: set[Any] = {newsroom.sites[one.site].url(one.path.partition("?")[0]) for one in newsroom.requests}
    for url in sorted(newsroom.truth.forbidden & asked):
        yield f"{url}: was requested, though robots.txt disallows it"
