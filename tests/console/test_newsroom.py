"""The invented newsroom serves what it says, oddities included."""

from __future__ import annotations

import gzip
import json
import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from itertools import combinations

import feedparser
import httpx
import pytest

from console.demo.articles import stories
from console.demo.edition import Edition
from console.demo.newsroom import Newsroom
from console.demo.responses import Response, negotiate
from console.demo.texts import compose

NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
SITEMAP = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9", "n": "http://www.google.com/schemas/sitemap-news/0.9"}


def address(room: Newsroom, key: str) -> str:
    story = Edition(room.sites, room.now, extra=0, state=1).by_key[key]
    return room.sites[story.site].url(story.path)


def settled(client: httpx.Client, url: str) -> httpx.Response:
    """The answer after a passing fault."""
    response = client.get(url)
    return client.get(url) if response.status_code in {429, 503} else response


def locations(sitemap: bytes) -> list[str]:
    return [element.text or "" for element in ET.fromstring(sitemap).iterfind(".//s:loc", SITEMAP)]


def listed(room: Newsroom, client: httpx.Client) -> set[str]:
    """Every address that the sources list, without queries."""
    found: list[str] = []
    for source in room.sources:
        body = client.get(source.url).content
        if source.url.endswith("/feed.json"):
            found += [item["url"] for item in json.loads(body)["items"]]
        elif source.url.endswith("_index.xml"):
            for part in locations(body):
                raw = client.get(part).content
                found += locations(gzip.decompress(raw) if part.endswith(".gz") else raw)
        elif "sitemap" in source.url:
            found += locations(body)
        elif source.url.endswith("/latest"):
            teasers = re.findall(r'<h2><a href="([^"]+)"', body.decode())
            found += [str(httpx.URL(source.url).join(link)) for link in teasers]
        else:
            found += [entry.link for entry in feedparser.parse(body).entries]
    return {url.partition("?")[0] for url in found}


def test_three_sites_with_over_sixty_articles_in_four_languages(room: Newsroom) -> None:
    assert set(room.sites) == {"harbour", "valley", "coast"}
    assert len({site.port for site in room.sites.values()}) == 3
    assert len(room.truth.articles) > 60
    assert len(room.truth.articles_after) == len(room.truth.articles) + 3
    assert set(room.truth.languages.values()) == {"en", "de", "fr", "ja"}
    assert room.allow_addresses == tuple(f"127.0.0.1:{site.port}" for site in room.sites.values())


def test_each_article_answers_and_names_its_canonical(room: Newsroom, client: httpx.Client) -> None:
    for url in room.truth.articles:
        page = settled(client, url)
        assert page.status_code == 200
        assert f'<link rel="canonical" href="{url}">' in page.text


def test_what_the_sources_list_is_exactly_what_truth_accounts_for(room: Newsroom, client: httpx.Client) -> None:
    truth = room.truth
    # An article that is listed by another form only (its AMP page) may be missing, but must be reachable by that form.
    reachable = listed(room, client)
    assert reachable - truth.articles == truth.forbidden | set(truth.rejected) | set(truth.duplicates)
    assert truth.articles <= reachable | set(truth.duplicates.values())


def test_no_two_articles_look_alike_but_the_wire_story() -> None:
    def shingles(text: str) -> set[tuple[str, ...]]:
        words = text.lower().split()
        return set(zip(words, words[1:], words[2:], strict=False))

    texts = {story.key: shingles(" ".join(story.draft.paragraphs)) for story in stories(NOW, extra=120)}
    alike = {
        (one, two)
        for one, two in combinations(sorted(texts), 2)
        if texts[one] and len(texts[one] & texts[two]) > 0.25 * len(texts[one] | texts[two])
    }
    assert alike == {("wire", "wire_cut")}


def test_articles_are_long_enough_and_dated_within_the_last_days() -> None:
    found = stories(NOW)
    assert len({story.title for story in found}) == len(found) - 1  # the wire story has the same title twice
    for story in found:
        assert NOW - timedelta(days=4) < story.published <= story.modified <= NOW
        if story.key not in {"paywall", "ja1"}:
            assert len(story.draft.paragraphs) >= 5
            assert sum(len(text.split()) for text in story.draft.paragraphs) > (100 if story.key == "embargo" else 150)


def test_the_same_seed_gives_the_same_text() -> None:
    assert compose("harbour-1") == compose("harbour-1")
    assert compose("harbour-1") != compose("harbour-2")
    assert stories(NOW, extra=30) == stories(NOW, extra=30)


def test_extra_articles_have_titles_and_paths_of_their_own() -> None:
    extra = [story for story in stories(NOW, extra=900) if "extra" in story.lists]
    assert len({story.title for story in extra}) == len({(story.site, story.path) for story in extra}) == 900


def test_feeds_parse(room: Newsroom, client: httpx.Client) -> None:
    rss = feedparser.parse(client.get(room.sites["harbour"].url("/feeds/news.rss")).content)
    atom = feedparser.parse(client.get(room.sites["valley"].url("/atom.xml")).content)
    feed = client.get(room.sites["coast"].url("/feed.json")).json()
    assert (rss.bozo, rss.version, len(rss.entries)) == (False, "rss20", 19)
    assert (atom.bozo, atom.version, len(atom.entries)) == (False, "atom10", 15)
    assert (feed["version"], len(feed["items"])) == ("https://jsonfeed.org/version/1.1", 16)
    assert all("utm_source=" in entry.link or "/news/regatta" in entry.link for entry in rss.entries)
    assert all("published_parsed" in entry for entry in rss.entries + atom.entries)
    assert sum("content_html" in item for item in feed["items"]) == 2


def test_the_partners_feed_is_broken_yet_holds_four_entries(room: Newsroom, client: httpx.Client) -> None:
    body = client.get(room.sites["valley"].url("/feeds/partners.xml")).content
    assert body.startswith(b"\xef\xbb\xbf\n")
    assert b"&eacute;" in body
    with pytest.raises(ET.ParseError):
        ET.fromstring(body)
    broken = feedparser.parse(body)
    assert broken.bozo
    assert len(broken.entries) == 4
    assert {entry.link.partition("?")[0] for entry in broken.entries} <= room.truth.articles


def test_news_sitemap_and_sitemap_index(room: Newsroom, client: httpx.Client) -> None:
    news = ET.fromstring(client.get(room.sites["harbour"].url("/news-sitemap.xml")).content)
    titles = [element.text for element in news.iterfind(".//n:title", SITEMAP)]
    assert len(titles) == 22
    parts = locations(client.get(room.sites["coast"].url("/sitemap_index.xml")).content)
    assert len(parts) == 3
    archive = client.get(parts[-1])
    assert archive.headers["content-type"] == "application/gzip"
    assert len(locations(gzip.decompress(archive.content))) == 4


def test_robots_names_a_delay_and_disallows_a_listed_article(room: Newsroom, client: httpx.Client) -> None:
    text = client.get(room.sites["harbour"].url("/robots.txt")).text
    assert "Crawl-delay: 0.1\n" in text
    assert "Disallow: /embargo/\n" in text
    (forbidden,) = room.truth.forbidden
    assert httpx.URL(forbidden).path.startswith("/embargo/")
    assert forbidden in client.get(room.sites["harbour"].url("/feeds/news.rss")).text
    assert forbidden in client.get(room.sites["harbour"].url("/news-sitemap.xml")).text


@pytest.mark.parametrize("source", ["harbour-rss", "valley-atom", "valley-latest", "coast-json"])
def test_an_entity_tag_is_honoured(room: Newsroom, client: httpx.Client, source: str) -> None:
    url = next(config.url for config in room.sources if config.name == source)
    first = client.get(url)
    again = client.get(url, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert client.get(url, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_modification_date_is_honoured(room: Newsroom, client: httpx.Client) -> None:
    url = address(room, "wire")
    date = client.get(url).headers["last-modified"]
    assert client.get(url, headers={"If-Modified-Since": date}).status_code == 304
    assert client.get(url, headers={"If-Modified-Since": "Thu, 01 Jan 2026 00:00:00 GMT"}).status_code == 200
    assert client.get(url, headers={"If-Modified-Since": "yesterday"}).status_code == 200


def test_only_a_success_carries_validators() -> None:
    assert negotiate(Response(status=404, body=b"x"), {}, compress=True).headers == ()
    assert "ETag" in dict(negotiate(Response(body=b"x"), {}, compress=False).headers)


def test_one_site_compresses(room: Newsroom, client: httpx.Client) -> None:
    url = room.sites["coast"].url("/feed.json")
    zipped = client.get(url)
    plain = client.get(url, headers={"Accept-Encoding": "identity"})
    assert zipped.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert zipped.content == plain.content
    assert zipped.headers["etag"] != plain.headers["etag"]
    assert "content-encoding" not in client.get(room.sites["harbour"].url("/")).headers


def test_the_wire_story_runs_on_two_sites_and_is_cut_on_one(room: Newsroom, client: httpx.Client) -> None:
    (pair,) = room.truth.clusters
    whole, cut = (client.get(address(room, key)).text for key in ("wire", "wire_cut"))
    assert pair == {address(room, "wire"), address(room, "wire_cut")}
    assert "Source: Meridian Press Agency" in whole
    assert "Source: Meridian Press Agency" in cut
    assert "dry dock at Ravenstow" in whole
    assert "dry dock at Ravenstow" not in cut


def test_each_site_marks_up_in_its_own_way(room: Newsroom, client: httpx.Client) -> None:
    marks = ("application/ld+json", 'property="og:title"', 'itemprop="articleBody"')
    found = {
        name: [mark in client.get(address(room, f"{name}-0")).text for mark in marks]
        for name in ("harbour", "valley", "coast")
    }
    assert found == {"harbour": [True, False, False], "valley": [False, True, False], "coast": [False, False, True]}


def json_ld(html: str) -> dict[str, object]:
    match = re.search(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
    assert match
    data = json.loads(match[1])
    assert isinstance(data, dict)
    return data


def test_paywall_stub(room: Newsroom, client: httpx.Client) -> None:
    (url,) = room.truth.paywalled
    html = client.get(url).text
    data = json_ld(html)
    assert data["isAccessibleForFree"] is False
    assert data["hasPart"] == {"@type": "WebPageElement", "isAccessibleForFree": False, "cssSelector": ".premium"}
    assert '<div class="premium wall">' in html


def test_live_blog(room: Newsroom, client: httpx.Client) -> None:
    data = json_ld(client.get(address(room, "live")).text)
    assert data["@type"] == "LiveBlogPosting"
    posts = data["liveBlogUpdate"]
    assert isinstance(posts, list)
    times = [post["datePublished"] for post in posts]
    assert len(times) == 6
    assert times == sorted(times, reverse=True)
    assert (times[0], times[-1]) == (data["coverageEndTime"], data["coverageStartTime"])


def test_pages_in_windows_1252(room: Newsroom, client: httpx.Client) -> None:
    undeclared = client.get(address(room, "legacy"))
    assert undeclared.headers["content-type"] == "text/html"
    assert b"charset" not in undeclared.content
    assert "Café owner’s £2 breakfast" in undeclared.content.decode("windows-1252")
    declared = client.get(address(room, "de1"))
    assert declared.headers["content-type"] == "text/html"
    assert b'<meta charset="iso-8859-1">' in declared.content
    assert "zu je 250 €" in declared.content.decode("windows-1252")


def test_twins_point_to_their_article(room: Newsroom, client: httpx.Client) -> None:
    twins = {url: target for url, target in room.truth.duplicates.items() if "/amp/" in url or "/print/" in url}
    assert len(twins) == 3
    for url, target in twins.items():
        assert f'<link rel="canonical" href="{target}">' in client.get(url).text
        page = settled(client, target).text
        path = httpx.URL(url).path
        assert f'rel="amphtml" href="{url}"' in page if "/amp/" in url else f'href="{path}"' in page


def test_redirects_lead_to_their_article_on_the_same_and_on_another_site(room: Newsroom, client: httpx.Client) -> None:
    moved, shortened = room.sites["valley"].url("/node/4711"), room.sites["coast"].url("/l/x7Kq2")
    for url in (moved, shortened):
        response = client.get(url)
        assert response.status_code == 301
        assert response.headers["location"] == room.truth.duplicates[url]
        assert response.headers["location"].startswith(room.sites["valley"].base)


def test_what_is_rejected_fails_as_stated(room: Newsroom, client: httpx.Client) -> None:
    by_kind = {kind: url for url, kind in room.truth.rejected.items()}
    assert set(by_kind) == {"soft_404", "http_404", "http_410", "redirect_loop"}
    soft = client.get(by_kind["soft_404"])
    assert (soft.status_code, "Page not found" in soft.text) == (200, True)
    assert client.get(by_kind["http_404"]).status_code == 404
    assert client.get(by_kind["http_410"]).status_code == 410
    with pytest.raises(httpx.TooManyRedirects):
        client.get(by_kind["redirect_loop"], follow_redirects=True)


def test_passing_faults_happen_once(fresh: Newsroom, client: httpx.Client) -> None:
    by_status = {status: url for url, status in fresh.truth.transient.items()}
    limited, down = client.get(by_status[429]), client.get(by_status[503])
    assert (limited.status_code, limited.headers["retry-after"], down.status_code) == (429, "1", 503)
    assert client.get(by_status[429]).status_code == 200
    assert client.get(by_status[503]).status_code == 200


def test_advance_corrects_one_article_and_retouches_another(fresh: Newsroom, client: httpx.Client) -> None:
    (changed,), (cosmetic,) = fresh.truth.versions, fresh.truth.cosmetic
    before = [client.get(url) for url in (changed, cosmetic)]
    fresh.advance()
    after = [client.get(url) for url in (changed, cosmetic)]
    assert "injures four" in before[0].text
    assert "injures seven" in after[0].text
    assert "Correction: " in after[0].text
    assert "Correction: " not in before[0].text
    assert [page.headers["etag"] for page in before] != [page.headers["etag"] for page in after]
    assert "“A clock is a promise between neighbours,”" in after[1].text
    assert '"A clock is a promise between neighbours,"' in before[1].text
    assert [client.get(page.url, headers={"If-None-Match": page.headers["etag"]}).status_code for page in before] == [
        200,
        200,
    ]


def test_advance_moves_the_feed_and_nothing_else(fresh: Newsroom, client: httpx.Client) -> None:
    feed = fresh.sites["valley"].url("/atom.xml")
    other = address(fresh, "harbour-7")
    page, first = client.get(other), client.get(feed)
    fresh.advance()
    conditional = {"If-None-Match": first.headers["etag"], "If-Modified-Since": first.headers["last-modified"]}
    second = client.get(feed, headers=conditional)
    assert second.status_code == 200
    assert fresh.state == 2
    times = [{entry.id: entry.updated for entry in feedparser.parse(body.content).entries} for body in (first, second)]
    moved = {name for name in times[0] if times[0][name] != times[1][name]}
    assert len(moved) == 2
    assert len(times[1]) == len(times[0]) + 1
    assert client.get(other, headers={"If-None-Match": page.headers["etag"]}).status_code == 304


def test_new_articles_exist_only_after_advance_and_are_listed(fresh: Newsroom, client: httpx.Client) -> None:
    new = fresh.truth.articles_after - fresh.truth.articles
    assert {client.get(url).status_code for url in new} == {404}
    fresh.advance()
    assert {client.get(url).status_code for url in new} == {200}
    assert new <= listed(fresh, client)


def test_titles_of_truth_are_what_pages_say(fresh: Newsroom, client: httpx.Client) -> None:
    fresh.advance()
    for url, title in fresh.truth.titles.items():
        page = settled(client, url)
        text = page.content.decode("windows-1252") if page.headers["content-type"] == "text/html" else page.text
        assert re.search(rf"<h1[^>]*>{re.escape(title)}</h1>", text.replace("&#x27;", "'").replace("&amp;", "&"))


def test_extra_articles_are_listed_in_pages_and_served(client: httpx.Client) -> None:
    with Newsroom(NOW, extra=1700) as room:
        assert len(room.truth.articles) > 1760
        source = next(config for config in room.sources if config.name == "harbour-extra")
        parts = locations(client.get(source.url).content)
        urls = [url for part in parts for url in locations(client.get(part).content)]
        assert (len(parts), len(urls)) == (2, 567)
        assert set(urls) <= room.truth.articles
        assert client.get(urls[-1]).status_code == 200
        page = feedparser.parse(client.get(room.sites["harbour"].url("/feeds/extra-1.atom")).content)
        onward = next(link.href for link in page.feed.links if link.rel == "next")
        assert len(page.entries) + len(feedparser.parse(client.get(onward).content).entries) == 567


def test_no_source_lists_an_address_outside_the_newsroom(room: Newsroom, client: httpx.Client) -> None:
    hosts = {f"{url.host}:{url.port}" for url in map(httpx.URL, listed(room, client))}
    assert hosts == set(room.allow_addresses)
