"""Compares what came out of a case with what must; yields one line for each check that fails."""

import unicodedata
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from benchmarks.cases.load import Case
from benchmarks.cases.perform import Result, as_text, links_of, text_of
from crawler.urls import canonical_key
from storage.records import Access, Article, Hints

_OF_AN_ARTICLE = {"title", "text_contains", "authors", "published_at", "language", "canonical_url"}
"""What can only be checked of a page that has become an article."""


def judge(case: Case, result: Result) -> Iterator[str]:
    """The failed checks of a case, as text."""
    expected = case.expected
    yield from _errors(expected, result)
    yield from _counts(expected, result)
    yield from _requests(expected, result)
    if case.type == "page" and expected.get("error") is None and expected.get("stored", True):
        yield from _page(expected, result)
    if case.type == "page" and "links" in expected:
        yield from _links(expected, result)
    for wanted in expected.get("articles", ()):
        yield from _article(wanted, result)
    for wanted in expected.get("entries", ()):
        yield from _entry(wanted, result)
    yield from _lists(expected, result)
    yield from _runs(expected, result)


def _errors(expected: dict[str, Any], result: Result) -> Iterator[str]:
    wanted = expected.get("error")
    if wanted is not None and result.reasons:
        found = next(iter(result.reasons.values()))
        if found not in (wanted if isinstance(wanted, list) else [wanted]):
            yield f"error: {found!r}, not {wanted!r}"
    elif wanted is not None and not any(outcome in wanted for outcome in result.outcomes):
        yield f"error: {result.outcomes}, not {wanted!r}"
    for url, codes in expected.get("errors", {}).items():
        if result.reasons.get(url) not in codes:
            yield f"errors: {url}: {result.reasons.get(url)!r}, not one of {codes}"
    for number, code in enumerate(expected.get("error_per_fetch", ())):
        outcome = result.outcomes[number] if number < len(result.outcomes) else "missing"
        if (None if outcome in ("ok", "not_modified") else outcome) != code:
            yield f"error_per_fetch: poll {number + 1}: {outcome!r}, not {code!r}"


def _counts(expected: dict[str, Any], result: Result) -> Iterator[str]:
    if expected.get("stored") is False and result.articles:
        yield f"stored: {result.articles[0].content.url} is in the store"
    if "stored_articles" in expected and len(result.articles) != expected["stored_articles"]:
        yield f"stored_articles: {len(result.articles)}, not {expected['stored_articles']}: {_urls(result)}"
    if "stored_urls" in expected and sorted(_urls(result)) != sorted(expected["stored_urls"]):
        yield f"stored_urls: {_urls(result)}, not {expected['stored_urls']}"
    entries = len(result.pages)
    least, most = expected.get("entry_count_min", 0), expected.get("entry_count_max", entries)
    if not least <= entries <= most or expected.get("entry_count", entries) != entries:
        yield f"entry_count: {entries}: {sorted(result.seen)}"
    for number, wanted in enumerate(expected.get("new_entries_per_fetch", ())):
        if wanted is not None and (found := _at(result.new_per_fetch, number)) != wanted:
            yield f"new_entries_per_fetch: poll {number + 1}: {found}, not {wanted}"


def _requests(expected: dict[str, Any], result: Result) -> Iterator[str]:
    for url in expected.get("must_not_fetch", ()):
        if url in result.requests:
            yield f"must_not_fetch: {url} was asked for"
    if len(result.requests) > expected.get("fetched_max", 10_000):
        yield f"fetched_max: {len(result.requests)} requests: {result.requests}"
    if not result.finished:
        yield "must_finish: there was no end to it"


def _page(expected: dict[str, Any], result: Result) -> Iterator[str]:
    if result.articles:
        yield from _fields(expected, result.articles[0])
    elif _OF_AN_ARTICLE & expected.keys():
        yield f"stored: there is no article: {next(iter(result.reasons.values()), None)}"


def _links(expected: dict[str, Any], result: Result) -> Iterator[str]:
    if {canonical_key(link) for link in expected["links"]} != set(result.links):
        yield f"links: {sorted(set(result.links))}"


def _article(wanted: dict[str, Any], result: Result) -> Iterator[str]:
    found = [one for one in result.articles if wanted.get("url") in (None, one.content.url)]
    if not found:
        yield f"articles: {wanted.get('url')} is not among {_urls(result)}"
        return
    yield from _fields(wanted, found[0])


def _fields(wanted: dict[str, Any], found: Article) -> Iterator[str]:
    content = found.content
    yield from _title(wanted, content.title)
    yield from _text(wanted, content.text)
    yield from _dates(wanted, {"published_at": content.published_at, "modified_at": content.modified_at})
    if "authors" in wanted:
        yield from _authors(wanted, content.authors)
    if "language" in wanted and (content.language or "").split("-")[0] != wanted["language"]:
        yield f"language: {content.language!r}, not {wanted['language']!r}"
    if "canonical_url" in wanted and content.url != wanted["canonical_url"]:
        yield f"canonical_url: {content.url}, not {wanted['canonical_url']}"
    if wanted.get("partial") and content.access not in (Access.PAYWALL, Access.METERED, Access.PARTIAL):
        yield f"partial: access is {content.access}"
    if wanted.get("normalization") == "NFC" and any(
        not unicodedata.is_normalized("NFC", one) for one in _strings(found)
    ):
        yield "normalization: not NFC"
    if wanted.get("storable") and any("\x00" in one for one in _strings(found)):
        yield "storable: a string holds U+0000"


def _entry(wanted: dict[str, Any], result: Result) -> Iterator[str]:
    keys = [canonical_key(url) for url in (wanted["url"], *wanted.get("url_also_ok", ()))]
    hints = next((result.seen[key] for key in keys if key in result.seen), None)
    if hints is None:
        yield f"entries: {wanted['url']} is not among {sorted(result.seen)}"
        return
    yield from _title(wanted, hints.title or "")
    yield from _text(wanted, text_of(hints) if "text_contains" in wanted or "text_excludes" in wanted else "")
    yield from _dates(wanted, {"published_at": hints.published_at})
    yield from _authors(wanted, hints.authors)
    if "links" in wanted and set(wanted["links"]) != set(links_of(hints)):
        yield f"links: {links_of(hints)}, not {wanted['links']}"


def _title(wanted: dict[str, Any], found: str) -> Iterator[str]:
    if "title" in wanted and _squash(found) != _squash(wanted["title"]):
        yield f"title: {found!r}, not {wanted['title']!r}"


def _text(wanted: dict[str, Any], found: str) -> Iterator[str]:
    for part in wanted.get("text_contains", ()):
        if _squash(part) not in _squash(found):
            yield f"text_contains: {part!r} is missing"
    for part in wanted.get("text_excludes", ()):
        if part in found:
            yield f"text_excludes: {part!r} is there"


def _dates(wanted: dict[str, Any], found: dict[str, datetime | None]) -> Iterator[str]:
    slack = timedelta(seconds=wanted.get("published_tolerance_s", 59))
    for name, moment in found.items():
        if name in wanted and not _same_time(wanted[name], moment, slack):
            yield f"{name}: {as_text(moment)}, not {wanted[name]}"


def _same_time(wanted: str | None, found: datetime | None, slack: timedelta) -> bool:
    if wanted is None or found is None:
        return wanted is None and found is None
    if len(wanted) == len("2026-03-04"):  # any instant of that local day, in whatever zone
        noon = datetime.combine(date.fromisoformat(wanted), datetime.min.time(), UTC) + timedelta(hours=12)
        return abs(found - noon) <= timedelta(hours=26)
    return abs(found - datetime.fromisoformat(wanted)) <= slack


def _authors(wanted: dict[str, Any], found: tuple[str, ...]) -> Iterator[str]:
    names = {_squash(name).lower() for name in found}
    must = {name.lower() for name in wanted.get("authors", ())}
    may = must | {name.lower() for name in wanted.get("authors_also_ok", ())}
    if "authors" in wanted and not must <= names <= may:
        yield f"authors: {list(found)}, not {wanted['authors']}"


def _lists(expected: dict[str, Any], result: Result) -> Iterator[str]:
    if expected["type"] == "sitemap" and "links" in expected:
        listed = {result.listed.get(key, key) for key in result.seen}
        if listed != set(expected["links"]):
            yield f"links: {sorted(listed)}"
    for url, wanted in expected.get("lastmod", {}).items():
        hints = result.seen.get(canonical_key(url), Hints())
        if not _same_time(wanted, hints.modified_at, timedelta(minutes=1)):
            yield f"lastmod: {url}: {as_text(hints.modified_at)}, not {wanted}"
    for url, wanted in expected.get("allowed", {}).items():
        if result.allowed.get(url) != wanted:
            yield f"allowed: {url}: {result.allowed.get(url)} ({result.reasons.get(url)})"
    for name in ("crawl_delay", "sitemaps"):
        if name in expected and getattr(result, name) != expected[name]:
            yield f"{name}: {getattr(result, name)}, not {expected[name]}"


def _runs(expected: dict[str, Any], result: Result) -> Iterator[str]:
    for name, wanted in expected.get("runs", {}).items():
        found = result.runs.get(name, [])
        right = len(found) == len(wanted) and all(
            as_text(run) in {as_text(datetime.fromisoformat(one)) for one in choice}
            for run, choice in zip(found, wanted, strict=True)
        )
        if not right:
            yield f"runs: {name}: {[as_text(run) for run in found]}"


def _strings(found: Article) -> list[str]:
    content = found.content
    single = (content.title, content.text, content.subtitle, content.description, content.section, content.publisher)
    return [one for one in (*single, *content.authors, *content.keywords) if one]


def _urls(result: Result) -> list[str]:
    return [one.content.url for one in result.articles]


def _at(values: list[int], number: int) -> int | None:
    return values[number] if number < len(values) else None


def _squash(text: str) -> str:
    return " ".join(text.replace("\u00a0", " ").split())
