"""Each speed benchmark does its work on a few pages, and its last line holds the figures that are told of it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks import news_please, pipeline, reprocess
from benchmarks import store as filing
from benchmarks.crawl import __main__ as crawl
from benchmarks.crawl.__main__ import Run
from benchmarks.newsprint import printed

Told = Callable[[], dict[str, Any]]


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    def last_line() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
        return found

    return last_line


def test_the_crawl_brings_in_all_pages_of_all_sites(told: Told) -> None:
    crawl.main(["--pages", "40", "--sites", "4", "--rounds", "1"])
    figures = told()
    assert figures["pages"] == 40
    assert figures["rss_mb"] > 20
    assert min(figures["ratio"], figures["packed_pages_per_s"], figures["scrapy_pages_per_s"]) > 0


def test_growth_of_memory_counts_from_where_it_has_settled() -> None:
    run = Run(pages=10, took_s=1.0, memory=[(0, 50.0), (4, 100.0), (8, 104.0), (10, 101.0)])
    assert (run.growth(settled=4), run.peak_mb) == (1.04, 104.0)


def test_filing_and_plain_inserts_write_the_same_articles(told: Told) -> None:
    filing.main(["--articles", "40", "--only", "sqlite"])
    figures = told()
    assert figures["ratio"] == figures["sqlite_ratio"] > 0
    assert set(figures["sqlite_extra_ms"]) == {"change_row", "fingerprint", "ids", "known_lines", "lines", "places"}


def test_all_archived_pages_become_articles_beside_the_peer(told: Told) -> None:
    pipeline.main(["--pages", "6", "--rounds", "1"])
    figures = told()
    assert figures["ended"] == {"new": 6}
    assert figures["ratio"] > 0


def test_what_is_read_anew_is_what_was_filed(told: Told) -> None:
    reprocess.main(["--pages", "6", "--processes", "2", "--rounds", "1"])
    figures = told()
    assert (figures["pages"], figures["unchanged"]) == (6, 6)


def test_where_news_please_is_missing_it_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news_please, "find_spec", lambda _name: None)
    assert news_please.main([]) == 2
    assert capsys.readouterr().err.startswith("news-please is not installed here: ")


def test_the_words_of_a_text_are_scored_as_often_as_they_stand_there() -> None:
    assert news_please.f1("a a b", "a b") == pytest.approx(0.8)
    assert news_please.f1("a", "") == 0.0


def test_printed_pages_differ_and_have_their_size() -> None:
    pages = list(printed(5))
    assert len({page.text for page in pages}) == 5
    assert all(29_000 < len(page.body) < 32_000 for page in pages)
    assert [page.body for page in printed(5)] == [page.body for page in pages]
