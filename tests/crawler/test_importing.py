"""Source entries from files: what goes in, and what an error names."""

import re
from pathlib import Path

import pytest

from crawler.importing import read_sources, seconds, slug, source_config
from storage.errors import SourceError
from storage.records import SourceConfig, SourceKind

TOML = b"""
[[source]]
url = "https://harbour.example/feed.xml"
every = "10m"
exclude = ["/sport/"]
headers = { Accept-Language = "de" }

[[source]]
name = "valley"
url = "https://valley.example/latest"
kind = "section"
cron = "0 7 * * 1-5"
timezone = "Europe/Berlin"
priority = 2
"""

OPML = """<?xml version="1.0" encoding="utf-8"?>
<opml version="2.0"><head><title>Mine</title></head><body>
  <outline text="Coast">
    <outline text="North & South" type="rss" xmlUrl="https://north.example/rss?id=1&amp;x=2" htmlUrl="https://north.example"/>
    <outline text="Deeper"><outline type="rss" text="Käse" XMLURL="https://deep.example/atom"/></outline>
  </outline>
  <outline text="Again" type="rss" xmlUrl="https://deep.example/atom"/>
</body></opml>"""


def configs(data: bytes) -> list[SourceConfig]:
    found = read_sources("f", data)
    assert not [one for one in found if isinstance(one, SourceError)], found
    return [one for one in found if isinstance(one, SourceConfig)]


def error_of(data: bytes) -> str:
    [error] = [one for one in read_sources("f", data) if isinstance(one, SourceError)]
    return str(error)


def test_toml_entries() -> None:
    first, second = configs(TOML)
    assert first.name == "harbour.example-feed.xml"
    assert (first.interval_s, first.exclude, first.headers) == (600, ("/sport/",), (("Accept-Language", "de"),))
    assert second.kind is SourceKind.SECTION
    assert (second.cron, second.timezone, second.priority) == ("0 7 * * 1-5", "Europe/Berlin", 2)


def test_toml_tables_by_name() -> None:
    [only] = configs(b'[source.harbour]\nurl = "https://harbour.example/feed"\nevery = 90\n')
    assert (only.name, only.interval_s) == ("harbour", 90)


def test_opml_outlines_at_any_depth_once_each_with_lenient_markup() -> None:
    found = configs(OPML.encode())
    assert [one.url for one in found] == ["https://north.example/rss?id=1&x=2", "https://deep.example/atom"]
    assert found[0].name == "north.example-rss-id-1-x-2"


def test_opml_in_utf16() -> None:
    assert len(configs(OPML.replace("utf-8", "utf-16").encode("utf-16"))) == 2


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        ('url = "ftp://x.example/"', "f: source 1: url: 'ftp://x.example/' is no http or https address"),
        ('name = "x"', "f: source 1: url: is missing"),
        ('url = "https://x.example/"\ncolour = "red"', "f: source 1: unknown key 'colour'"),
        ('url = "https://x.example/"\nkind = "manual"', "f: source 1: kind:"),
        ('url = "https://x.example/"\nname = "manual"', "f: source 1: name: 'manual'"),
        ('url = "https://x.example/"\nevery = "soon"', "f: source 1: every: 'soon' is no duration"),
        ('url = "https://x.example/"\ncron = "61 * * * *"', "f: source 1: cron: '61 * * * *'"),
        ('url = "https://x.example/"\ncron = "0 * * * *"\nevery = "1h"', "f: source 1: cron: excludes every"),
        ('url = "https://x.example/"\ntimezone = "Mars/Base"', "f: source 1: timezone: 'Mars/Base'"),
        ('url = "https://x.example/"\ninclude = ["("]', "f: source 1: include: '('"),
        ('url = "https://x.example/"\npriority = "high"', "f: source 1: priority:"),
        ('url = "https://x.example/"\nlanguage = 5', "f: source 1: language:"),
        ('url = "https://x.example/"\nheaders = { "a b" = "c" }', "f: source 1: headers: 'a b'"),
        ('url = "https://x.example/"\nheaders = { Authorization = "x" }', "f: source 1: headers: Authorization would"),
        ('url = "https://x.example/"\nheaders = { X-Key = "env:1 2" }', "f: source 1: headers: 'X-Key'"),
        ('url = "https://x.example/"\ncookies = { a = "b; c" }', "f: source 1: cookies: the value of 'a'"),
        ('url = "https://u:secret@x.example/"', "f: source 1: url: holds a password"),
        ('url = "https://x.example/"\nbearer = "A"\nbasic = "B"', "f: source 1: bearer: excludes basic"),
        ('url = "https://x.example/"\nproxy = "socks://p"', "f: source 1: proxy:"),
        (
            'url = "https://x.example/"\nproxy = "http://p.example/x"',
            "f: source 1: proxy: 'http://p.example/x' must end",
        ),
        ('url = "https://x.example/"\nproxy = "http://jo:pw@p.example"', "f: source 1: proxy: its log-in must be"),
        ('url = "https://x.example/"\nproxy = "http://jo:${A}b@p.example"', "f: source 1: proxy: its log-in must be"),
        ('url = "https://x.example/"\nproxy = "http://jo@p.example"', "f: source 1: proxy: its log-in must be"),
        ('url = "https://x.example/"\nrender = "yes"', "f: source 1: render: must be true or false"),
        ('url = "https://x.example/"\ndelay = "slow"', "f: source 1: delay:"),
        ('url = "https://x.example/"\nconcurrency = 9', "f: source 1: concurrency: must be from 1 to 8"),
        ('url = "https://x.example/"\nretention = { mood = 3 }', "f: source 1: retention: 'mood'"),
        ('url = "https://x.example/"\nretention = { archive = 0 }', "f: source 1: retention: archive:"),
        ('url = "https://x.example/"\nretention = { polls = "2h" }', "f: source 1: retention: polls: must be days"),
    ],
)
def test_an_error_names_file_entry_and_key(entry: str, named: str) -> None:
    assert error_of(f"[[source]]\n{entry}\n".encode()).startswith(named)


def test_a_secret_in_the_wrong_place_is_not_repeated_by_the_error() -> None:
    assert "s3cret" not in error_of(b'[[source]]\nurl = "https://x.example/"\nbearer = "s3cret-token!"\n')
    assert "s3cret" not in error_of(b'[[source]]\nurl = "https://me:s3cret@x.example/"\n')
    assert "s3cret" not in error_of(b'[[source]]\nurl = "https://x.example/"\nproxy = "http://me:s3cret@p.example"\n')


def test_everything_about_a_request_is_data() -> None:
    [found] = configs(
        b'[[source]]\nurl = "https://x.example/"\nbasic = "X_LOGIN"\ncookies = { seen = "yes", sid = "env:X_SID" }\n'
        b'proxy = "http://proxy.example:3128"\ndelay = 2.5\nconcurrency = 2\nretention = { archive = 30 }\n'
    )
    assert (found.basic, found.bearer, found.proxy) == ("X_LOGIN", None, "http://proxy.example:3128")
    assert found.cookies == (("seen", "yes"), ("sid", "env:X_SID"))
    assert (found.delay_s, found.concurrency, found.retention) == (2.5, 2, (("archive", 30),))
    proxies = ("http://jo:${PASSWORD}@p.example:3128", "https://${USER_NAME}:${PASSWORD}@[2001:db8::1]:8080")
    entries = "".join(f'[[source]]\nurl = "https://x{n}.example/"\nproxy = "{p}"\n' for n, p in enumerate(proxies))
    assert tuple(one.proxy for one in configs(entries.encode())) == proxies


def test_render_is_off_unless_an_entry_says_otherwise() -> None:
    toml = b'[[source]]\nurl = "https://a.example/"\n[[source]]\nurl = "https://b.example/"\nrender = true\n'
    assert [one.render for one in configs(toml)] == [False, True]
    rows = b"url,render\nhttps://a.example/,\nhttps://b.example/,True\nhttps://c.example/,no\n"
    assert [one.render for one in configs(rows)] == [False, True, False]
    assert "render: must be true or false, not 'maybe'" in error_of(b"url,render\nhttps://a.example/,maybe\n")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_rows_have_the_same_keys(separator: str) -> None:
    keys = ["headers.Accept-Language", "retention.archive", "delay", "retention.polls"]
    rows = [
        ["Name", "url", "kind", "every", "priority", *keys],
        ["harbour", "https://harbour.example/a", "feed", "10m", "3", "de", "30d", "1.5", "forever"],
        [],
        ["", "https://valley.example/b", "", "", "", "", "", "", ""],
    ]
    first, second = configs(("\ufeff" + "\r\n".join(separator.join(row) for row in rows)).encode())
    assert (first.name, first.kind, first.interval_s, first.priority) == ("harbour", SourceKind.FEED, 600, 3)
    assert (first.headers, first.delay_s) == ((("Accept-Language", "de"),), 1.5)
    assert first.retention == (("archive", 30), ("polls", 0))
    assert second == SourceConfig(name="valley.example-b", url="https://valley.example/b")


def test_csv_with_quoted_cells() -> None:
    [found] = configs(b'"url","publisher"\n"https://x.example/","The ""Coast"", daily"\n')
    assert found.publisher == 'The "Coast", daily'


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ("ftp://x,1", "f: line 2: url:"),
        ("https://x.example/,high", "f: line 2: priority: must be a whole number, not 'high'"),
        ("https://x.example/,1,more", "f: line 2: unknown key 'column 3'"),
    ],
)
def test_a_bad_csv_row_is_named_by_its_line(row: str, named: str) -> None:
    assert error_of(f"url,priority\n{row}\n".encode()).startswith(named)


def test_a_name_that_stands_twice_is_an_error() -> None:
    twice = b'[[source]]\nname="a"\nurl="https://x.example/"\n[[source]]\nname="a"\nurl="https://y.example/"\n'
    assert error_of(twice).startswith("f: source 2: name: 'a' stands twice")


def test_a_bad_outline_is_named_by_its_text_and_line() -> None:
    bad = '<opml><body>\n<outline type="rss" text="Old" xmlUrl="feed:x"/></body></opml>'
    assert error_of(bad.encode()).startswith("f: outline 'Old' (line 2) xmlUrl: url: 'feed:x'")


@pytest.mark.parametrize(
    "data",
    [
        b"not toml at all",
        b"[sources]\n",
        b"source = [1]\n",
        b"<html><body/></html>",
        b"<opml><body><outline text='folder'/></body></opml>",
        b"<",
        b'<!DOCTYPE opml [<!ENTITY a "b">]><opml><body><outline xmlUrl="https://&a;.example/"/></body></opml>',
    ],
)
def test_a_file_that_is_neither_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(SourceError, match=r"^f: "):
        read_sources("f", data)


def test_entities_that_grow_are_not_expanded() -> None:
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<!DOCTYPE opml [<!ENTITY e0 "x">{levels}]><opml><body><outline text="&e11;" xmlUrl="u"/></body></opml>'
    with pytest.raises(SourceError, match=r"entities|no XML"):
        read_sources("f", bomb.encode())


def test_durations() -> None:
    assert [seconds(text) for text in ("90", "5m", "1h", "2d", 7)] == [90, 300, 3600, 172_800, 7]
    with pytest.raises(ValueError, match="no duration"):
        seconds("0")


def test_names_made_of_addresses() -> None:
    assert slug("https://News.example:8080/rss/World/?id=5") == "news.example-8080-rss-world-id-5"
    assert source_config({"url": "https://news.example"}, "x").name == "news.example"


def test_the_guide_shows_every_key_and_its_example_is_right() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "sources.md").read_text("utf-8")
    example = guide.partition("```toml\n")[2].partition("```")[0]
    assert len(configs(example.encode())) == 2
    described = set(re.findall(r"^\| `(\w+)` \|", guide, re.MULTILINE)) | {"retention"}
    known = error_of(b'[[source]]\nurl = "https://x.example/"\nmood = "good"\n').partition("known: ")[2]
    assert set(known.split(", ")) <= described
