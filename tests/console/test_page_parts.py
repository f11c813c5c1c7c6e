"""What the pages are made of: links, pictures, snippets, entries, and the files of others."""

import hashlib
import tomllib
from datetime import UTC, datetime

import pytest

from console.web.pages.articles import pieces
from console.web.pages.overview import stacked
from console.web.pages.sources import heat
from console.web.templates import FOLDER
from console.words import is_link
from crawler import habits
from crawler.rates import Rates
from crawler.source_entry import source_config
from crawler.source_text import source_text
from storage.figures import Hour
from storage.search import Snippet

NOW = datetime(2026, 3, 14, 9, 26, tzinfo=UTC)


@pytest.mark.parametrize(
    ("address", "linked"),
    [
        ("https://news.example/a", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("//news.example", False),
        ("http://[", False),
        ("java\nscript:alert(1)", False),
    ],
)
def test_only_addresses_of_the_web_are_links(address: str, linked: bool) -> None:
    assert is_link(address) is linked


def test_columns_of_the_picture_are_hours() -> None:
    hour = datetime(2026, 3, 14, 8, tzinfo=UTC)
    found = stacked([Hour(hour=hour, what="page", outcome="article", count=3)], NOW)
    assert len(found["times"]) == 48
    assert found["rows"]["article"][-2:] == [3, 0]
    assert found["times"][-2] == hour.timestamp()


def test_the_week_is_shaded_by_what_is_to_be_expected() -> None:
    assert heat(habits.Habits()) == []
    items = tuple(8.0 if at == 9 else 0.0 for at in range(168))
    known = Rates(items=items, hours=(1.0,) * 168, learned_at=NOW)
    week = heat(habits.Habits(rates=known))
    assert [day for day, _ in week] == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert week[0][1][9][1] == 5
    assert week[3][1][3][1] < 3


def test_a_snippet_is_cut_at_its_marks() -> None:
    assert pieces(Snippet("the ferry left", ((4, 9),))) == [("the ", False), ("ferry", True), (" left", False)]


def test_a_source_entry_is_read_back_as_it_was() -> None:
    entry = {
        "name": 'co"ast',
        "url": "https://coast.example/feed",
        "kind": "feed",
        "every": 600,
        "timezone": "Europe/Berlin",
        "language": "de",
        "include": ["/news/\\d+"],
        "headers": {"Accept-Language": "de"},
        "retention": {"archive": "30d"},
        "bearer": "COAST_TOKEN",
        "delay": 2.5,
        "concurrency": 2,
        "priority": 3,
        "render": True,
    }
    config = source_config(entry, "test")
    assert source_config(tomllib.loads(source_text(config)), "test") == config


def test_vendored_files_are_those_of_their_packages() -> None:
    folder = FOLDER / "static" / "vendor"
    listed = tomllib.loads((folder / "VENDORED.toml").read_text("utf-8"))
    for name, told in listed.items():
        found = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in (folder / name).iterdir()}
        assert found == told["sha256"], name
