"""No bytes break the readers of listings: they list something or raise DiscoveryError, and all of it is storable."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import urlsplit

from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.discovery import discover
from crawler.urls import canonical_key
from storage.codec import from_plain, to_plain
from storage.errors import DiscoveryError
from storage.records import Candidate, SourceKind

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
URL = "https://www.harbour.example/feed.xml"
MARKUP = """
<rss> </rss> <channel> </channel> <item> </item> <title> </title> <link> </link> <author> <pubDate> </pubDate> </feed>
<entry> </entry> <urlset> <sitemapindex> <sitemap> <url> </url> <loc> </loc> https://a.example/1 //b.example
<![CDATA[ ]]> <!-- --> &amp; &lt;b&gt; &x; &#0; <?xml?> ]> <html> {"items":[ {"url":"/a"} ]}
\\ud800 \x00 \ufeff é \U0001f6a2
"""
PIECES = (
    *MARKUP.split(),
    "Wed, 04 Mar 2026 09:01:00 GMT",
    '<feed xmlns="http://www.w3.org/2005/Atom">',
    '<link href="/a"/>',
    "<!DOCTYPE rss [",
    '<!ENTITY x "y">',
    "<a href='/b'>B</a>",
)
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=40).map("".join)
bodies = st.binary(max_size=200) | texts.map(lambda text: text.encode("utf-8", "surrogatepass")) | texts.map(
    lambda text: text.encode("utf-16", "surrogatepass")
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(bodies, st.sampled_from(SourceKind), st.sampled_from([None, "text/xml; charset=latin1", "text/html"]))
def test_any_body_is_a_listing_or_one_clear_error(body: bytes, kind: SourceKind, content_type: str | None) -> None:
    with suppress(DiscoveryError):
        listing = discover(body, url=URL, now=NOW, content_type=content_type, expected=kind)
        for candidate in listing.candidates:
            assert urlsplit(candidate.url).scheme in ("http", "https")
            assert canonical_key(candidate.url)
            assert from_plain(Candidate, json.loads(json.dumps(to_plain(candidate)))) == candidate
