"""Which pages are asked for, and how long each takes to come."""

import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote, urlencode

import httpx

from benchmarks.pages.fill import POLLS, Scale
from benchmarks.pages.wording import Words, byline
from storage.codec import rfc3339


@dataclass(frozen=True, slots=True)
class Times:
    """Of some requests of one page, in milliseconds."""

    median_ms: float
    worst_ms: float


def pages(scale: Scale, words: Words) -> dict[str, str]:
    """The path of each page, by what is told of it: all of the dashboard, and what programs ask for most."""
    return {**_dashboard(scale), **_searches(words, scale), **_programs(scale, words), **_filters(scale)}


def visit(client: httpx.Client, paths: Mapping[str, str], times: int) -> dict[str, Times]:
    """Ask for each page so many times; a page that is not to be had raises."""
    return {name: _visit(client, path, times) for name, path in paths.items()}


def _visit(client: httpx.Client, path: str, times: int) -> Times:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        answer = client.get(path)
        took.append((time.perf_counter() - began) * 1000)
        answer.raise_for_status()
    return Times(round(statistics.median(took), 1), round(max(took), 1))


def _dashboard(scale: Scale) -> dict[str, str]:
    middle, last = scale.articles // 2, scale.sources
    versioned = scale.articles // 10 * 10
    name, far = _name(1), _name(last * 9 // 10)
    return {
        "/": "/",
        "/room": "/room",
        "/queues": "/queues",
        "/sources": "/sources",
        "/sources deep": f"/sources?{urlencode({'after': far})}",
        "/sources by name": f"/sources?{urlencode({'begins': far[:-2]})}",
        "/sources/one": f"/sources/{name}",
        "/source/edit": f"/source/edit?{urlencode({'name': name})}",
        "/articles": "/articles",
        "/articles deep": f"/articles?before={middle}",
        "/articles of a source": f"/articles?{urlencode({'source': name})}",
        "/articles of a small source": f"/articles?{urlencode({'source': far})}",
        "/articles in a language": "/articles?language=sv",
        "/articles by access": "/articles?access=metered",
        "/articles by source and access": f"/articles?{urlencode({'source': far, 'access': 'metered'})}",
        "/articles/one": f"/articles/{middle + 1}",
        "/articles/one with versions": f"/articles/{versioned}",
        "/articles/one of 200 in its cluster": "/articles/7",
        "/runs": "/runs",
        "/runs deep": f"/runs?before={scale.sources * POLLS // 2}",
        "/jobs/one": "/jobs/40",
        "/quarantine": "/quarantine",
        "/quarantine deep": f"/quarantine?after={3 * scale.articles + 1000}",
        "/explain": f"/explain?{urlencode({'url': scale.address(middle)})}",
        "/explain 200 in its cluster": f"/explain?{urlencode({'url': scale.address(7)})}",
        "/settings": "/settings",
        "/metrics": "/metrics",
        "/readyz": "/readyz",
    }


def _searches(words: Words, scale: Scale) -> dict[str, str]:
    common, rare = words.common, words.rare
    asked = {
        "frequent word": common,
        "rare word": rare,
        "word of one article": f"zq{scale.articles // 20 * 10}",
        "nothing": "zzyzx",
        "two words": f"{common} {rare}",
        "phrase": f'"{words.phrase}"',
        "phrase of frequent words": f'"{words.usual}"',
        "phrase of frequent words long ago": f'"{words.usual}" before:{scale.now - timedelta(days=365):%Y-%m-%d}',
        "not a word": f"{common} -{rare}",
        "frequent word in a language": f"{common} language:sv",
        "field": "section:sport",
        "frequent word since": f"{common} after:{scale.now - timedelta(days=7):%Y-%m-%d}",
        "frequent word long ago": f"{common} before:{scale.now - timedelta(days=700):%Y-%m-%d}",
    }
    found = {f"/articles?q={name}": f"/articles?{urlencode({'q': query})}" for name, query in asked.items()}
    return found | {"/articles?q=frequent word, deep": f"/articles?{urlencode({'q': common, 'offset': 1000})}"}


def _programs(scale: Scale, words: Words) -> dict[str, str]:
    middle, name, last = scale.articles // 2, quote(_name(1)), scale.articles // 10 * 10
    rare = f"zq{last}"
    return {
        "/api/articles": "/api/articles",
        "/api/articles deep": f"/api/articles?after={middle}",
        "/api/articles/search": f"/api/articles/search?{urlencode({'q': words.common})}",
        "/api/articles/search newest": f"/api/articles/search?{urlencode({'q': words.common, 'newest': 'true'})}",
        "/api/articles/search newest, rare": f"/api/articles/search?{urlencode({'q': rare, 'newest': 'true'})}",
        "/api/articles/one": f"/api/articles/{middle}",
        "/api/articles/one/versions": f"/api/articles/{last}/versions",
        "/api/articles/one/diff": f"/api/articles/{last}/diff",
        "/api/articles/by-url": f"/api/articles/by-url?{urlencode({'url': scale.address(middle)})}",
        "/api/clusters/200": "/api/clusters/1",
        "/api/sources": "/api/sources",
        "/api/sources deep": f"/api/sources?{urlencode({'after': _name(scale.sources * 9 // 10)})}",
        "/api/sources/one": f"/api/sources/{name}",
        "/api/sources/one/polls": f"/api/sources/{name}/polls",
        "/api/changes": "/api/changes?limit=100",
        "/api/changes deep": f"/api/changes?limit=100&since={middle}",
        "/api/consumers": "/api/consumers",
        "/api/jobs": "/api/jobs",
    }


def _filters(scale: Scale) -> dict[str, str]:
    yesterday, long_ago, later = (rfc3339(scale.now - timedelta(days=days)) for days in (1, 365, 364))
    asked = {
        "language": {"language": "sv"},
        "publisher": {"publisher": byline(scale.sources * 9 // 10, "").publisher},
        "section": {"section": "travel"},
        "no such section": {"section": "gardening"},
        "access": {"access": "metered"},
        "no such access": {"access": "consent"},
        "site": {"site": "site-7.example"},
        "source": {"source": _name(scale.sources * 9 // 10)},
        "published yesterday": {"published_since": yesterday},
        "published in a year": {"published_since": long_ago},
        "published in one day": {"published_since": long_ago, "published_until": later},
        "seen yesterday": {"seen_since": yesterday},
        "primary": {"primary": "true"},
        "language and access": {"language": "sv", "access": "metered"},
    }
    return {f"/api/articles by {name}": f"/api/articles?{urlencode(query)}" for name, query in asked.items()}


def _name(source: int) -> str:
    return byline(max(1, source), "").name
