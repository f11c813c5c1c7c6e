"""Feeds as bytes arrive: encodings, compression, breakage, and bodies made to do harm."""

import gzip
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from crawler.discovery import MAX_BYTES, Listing
from storage.errors import DiscoveryError
from storage.records import Hints, SourceKind, Via

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
SITE = "https://www.harbour-courier.example"
FEED = f"{SITE}/feed.xml"

Read = Callable[..., Listing]
Make = Callable[..., str]
Urls = Callable[[Listing], list[str]]
HintsOf = Callable[..., Hints]


@pytest.mark.parametrize(
    ("body", "content_type", "title"),
    [
        (
            '<?xml version="1.0" encoding="iso-8859-1"?><rss><channel><title>Café – “x”</title>'.encode("cp1252"),
            None,
            "Café – “x”",
        ),
        ("<rss><channel><title>Café</title>".encode("latin-1"), "text/xml; charset=ISO-8859-1", "Café"),
        (
            '<?xml version="1.0" encoding="iso-8859-1"?><rss><channel><title>Café</title>'.encode(),
            "text/xml; charset=ISO-8859-1",
            "Café",
        ),
        (
            '<?xml version="1.0" encoding="utf-8"?><rss><channel><title>Café '.encode() + b"caf\xe9 \x96</title>",
            None,
            "Café café –",
        ),
        ("<rss><channel><title>Café</title>".encode("utf-16"), None, "Café"),
        ("<rss><channel><title>Café</title>".encode("utf-16-be"), "text/xml", "Café"),
        (
            '<?xml version="1.0" encoding="windows-1251"?><rss><channel><title>Порт</title>'.encode("cp1251"),
            None,
            "Порт",
        ),
        ('<?xml version="1.0" encoding="gb2312"?><rss><channel><title>海港</title>'.encode("gbk"), None, "海港"),
        (
            '<?xml version="1.0" encoding="iso-2022-jp"?><rss><channel><title>港</title>'.encode("iso-2022-jp"),
            None,
            "港",
        ),
    ],
)
def test_encodings(body: bytes, content_type: str | None, title: str, read: Read) -> None:
    end = "</channel></rss>".encode("utf-16-be" if b"\0<" in body[:2] else "utf-16-le" if b"\0" in body else "ascii")
    assert read(body + end, content_type=content_type).title == title


def test_gzip_by_its_magic_bytes(read: Read, rss: Make, urls: Urls, item: str) -> None:
    packed = gzip.compress(rss(item).encode())
    assert urls(read(packed, content_type="text/xml")) == urls(read(gzip.compress(packed))) == [f"{SITE}/n/1"]
    with pytest.raises(DiscoveryError, match="truncated"):
        read(packed[:-20])
    with pytest.raises(DiscoveryError, match="too_large"):
        read(gzip.compress(bytes(MAX_BYTES * 5)))
    with pytest.raises(DiscoveryError, match="too_large"):
        read(bytes(MAX_BYTES + 1))


def test_feed_that_breaks_off_loses_only_the_entry_that_it_breaks_in(
    read: Read, rss: Make, urls: Urls, item: str
) -> None:
    whole = rss(item + item.replace("/n/1", "/n/2"))
    listing = read(whole[: whole.index("/n/2") + 3])
    assert (urls(listing), listing.truncated) == ([f"{SITE}/n/1"], True)
    assert not read(whole).truncated
    first = rss(item)
    assert urls(read(first[: first.index("/n/1") + 3])) == []


CHALLENGE = (
    "<!DOCTYPE html><html><head><title>Checking your browser</title></head><body><h1>One "
    "moment</h1><p>Not a robot.</p></body></html>"
)


@pytest.mark.parametrize(
    "body",
    [
        CHALLENGE,
        "\n<p>Error</p>",
        "",
        "Not found",
        "{}",
        '{"items": 1}',
        "[" * 50_000,
        "{" * 50_000,
        "<xml/>",
        "\x00\x01",
    ],
)
def test_what_is_no_feed(body: str, read: Read) -> None:
    with pytest.raises(DiscoveryError) as caught:
        read(body, expected=SourceKind.FEED)
    assert caught.value.code == "not_a_feed"


@pytest.mark.parametrize(
    "url", [FEED, f"{SITE}/feed/", f"{SITE}/rss", f"{SITE}/?feed=rss2", f"{SITE}/index.rss?x=1", f"{SITE}/news.atom"]
)
def test_html_at_a_feeds_address_is_no_section(url: str, read: Read) -> None:
    with pytest.raises(DiscoveryError, match="not_a_feed"):
        read(CHALLENGE, url=url)


def test_empty_feed_is_a_feed(read: Read, rss: Make) -> None:
    listing = read(rss(""), expected=SourceKind.FEED)
    assert (listing.kind, listing.candidates, listing.truncated) == (SourceKind.FEED, (), False)


NESTED = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    "subset",
    [
        f'<!ENTITY a0 "tidetide">{NESTED}',
        '<!ENTITY x SYSTEM "file:///etc/hostname">',
        '<!ENTITY x PUBLIC "-//X" "http://169.254.169.254/">',
        '<!ENTITY x "&#38;y;"><!ENTITY y "z">',
        f'<!ENTITY x "{"tide" * 1000}">',
    ],
)
@pytest.mark.parametrize("root", ["rss", "feed", "urlset"])
def test_entities_that_nest_are_long_or_lie_outside_are_refused(subset: str, root: str, read: Read) -> None:
    body = f'<?xml version="1.0"?>\n<!DOCTYPE {root} [\n{subset}\n]>\n<{root}><title>&x;&a9;</title></{root}>'
    for encoded in (body.encode(), body.encode("utf-16"), gzip.compress(body.encode())):
        with pytest.raises(DiscoveryError) as caught:
            read(encoded)
        assert caught.value.code == "xml_entities"


def test_harmless_entities_are_expanded(rss: Make, hints: HintsOf) -> None:
    body = (
        '<!DOCTYPE rss [<!ENTITY nbsp "&#160;"><!ENTITY hc \'Courier &#38; '
        f"Co'>]>{rss(f'<item><title>The&nbsp;&hc;</title><link>{SITE}/n/1</link></item>')}"
    )
    assert hints(body).title == "The Courier & Co"


@pytest.mark.parametrize(
    "body",
    [
        "<!DOCTYPE rss [" * 50_000,
        "<!--" * 200_000,
        "<rss>" + "<item>" * 100_000,
        "<rss>" + "<![CDATA[" * 200_000,
        "<rss><item><title>" + "<b " * 200_000,
        "<rss>" + "&" * 1_000_000,
    ],
)
def test_hostile_bodies_end_soon(body: str, read: Read) -> None:
    start = time.process_time()
    with suppress(DiscoveryError):
        read(body)
    assert time.process_time() - start < 3


def test_single_page_is_itself_whatever_it_serves(read: Read, urls: Urls) -> None:
    listing = read(CHALLENGE, url=f"{SITE}/n/1", expected=SourceKind.PAGE)
    assert (listing.kind, urls(listing), listing.candidates[0].via) == (SourceKind.PAGE, [f"{SITE}/n/1"], Via.MANUAL)
