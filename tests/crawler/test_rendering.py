"""Pages whose text comes from scripts, in a real Chromium, and what these scripts cannot reach."""

import asyncio
import itertools
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crawler.crawl import CrawlReport
from crawler.extras import can_render
from crawler.rendering import MARK
from storage import sites, snapshots
from storage.records import PageState, SourceKind

World = Any  # of conftest.py, which nobody can import

needs_browser = pytest.mark.skipif(
    not can_render() or not shutil.which("chromium"), reason="needs the extra 'render' and a program chromium"
)

SHELL = "<!doctype html><title>T</title><main>Nothing yet.</main><script src='{script}'></script>"
FILL = "fetch('/data.json').then(r => r.json()).then(d => document.querySelector('main').textContent = d.text);"
SPY = """
const done = text => document.querySelector('main').textContent = 'tried ' + text;
new Image().src = '{private}/image';
try {{ new WebSocket('{private}/socket'.replace('http', 'ws')); }} catch (error) {{ }}
const frame = document.createElement('iframe'); frame.src = '{private}/frame'; document.body.append(frame);
const peer = new RTCPeerConnection({{ iceServers: [{{ urls: 'stun:127.0.0.1:{udp}' }}] }});
peer.createDataChannel('x'); peer.createOffer().then(offer => peer.setLocalDescription(offer));
navigator.sendBeacon('{private}/beacon', 'x');
fetch('/write', {{ method: 'POST', body: 'x' }}).catch(() => 0);
fetch('/hidden.json').catch(() => 0);
Promise.allSettled(['/direct', '/again'].map(path => fetch('{private}' + path, {{ mode: 'no-cors' }})).concat(
  fetch('/hop'))).then(() => {{ done('all'); location.href = '{private}/away'; }});
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A crawl of a site whose pages are empty without their scripts."""

    world: World
    app: Any
    far: Any
    cdn: Any
    private: Any
    report: CrawlReport
    datagrams: list[bytes]

    def body(self, path: str, site: Any = None) -> str:
        page = self.world.page((site or self.app).url(path))
        with self.world.store.reading() as tx:
            found = snapshots.get(tx, page.snapshot_id)
            return snapshots.body(tx, self.world.store.archive, found).decode()


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory, make_world: Callable[..., World]) -> Iterator[Shown]:
    world = make_world(tmp_path_factory.mktemp("shown"), timeout_s=15.0)
    app = world.site(robots="User-agent: *\nDisallow: /hidden.json\n")
    cdn, far, private = world.site(), world.site(), world.site(allowed=False)
    ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ear.bind(("127.0.0.1", 0))
    ear.setblocking(False)
    html, script = {"Content_Type": "text/html"}, {"Content_Type": "text/javascript"}
    app.add_feed("/feed", ["/story", "/spy", far.url("/far")])
    far.on("/far", b"<main></main><script>document.querySelector('main').textContent = 'far' + 6 * 7</script>", **html)
    app.on("/story", SHELL.format(script=cdn.url("/fill.js")).encode(), ETag='"shell"', **html)
    cdn.on("/fill.js", FILL.encode(), **script)
    app.on("/data.json", '{"text": "The ferry sails at nöon."}'.encode(), Content_Type="application/json")
    app.on("/spy", SHELL.format(script="/spy.js").encode(), **html)
    app.on("/spy.js", SPY.format(private=private.url("").rstrip("/"), udp=ear.getsockname()[1]).encode(), **script)
    app.on("/hidden.json", b"{}")
    app.redirect("/hop", private.url("/behind"))
    world.watch("app", app.url("/feed"), SourceKind.FEED, render=True, delay_s=0.3, bearer="A_TOKEN")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("A_TOKEN", "t0psecret")
        report = world.crawl()
        world.crawl()  # for the page on the other site
    yield Shown(world=world, app=app, far=far, cdn=cdn, private=private, report=report, datagrams=_heard(ear))
    ear.close()
    world.close()


def _heard(ear: socket.socket) -> list[bytes]:
    try:
        return [ear.recv(2048)]
    except BlockingIOError:
        return []


@needs_browser
def test_the_text_is_what_stands_there_after_the_scripts_ran(shown: Shown) -> None:
    assert "<main>The ferry sails at nöon.</main>" in shown.body("/story")


@needs_browser
def test_a_page_of_the_source_on_another_site_is_rendered_too(shown: Shown) -> None:
    assert "<main>far42</main>" in shown.body("/far", shown.far)
    assert "Authorization" not in shown.far.log[-1].headers


@needs_browser
def test_the_record_says_that_it_was_rendered(shown: Shown) -> None:
    page = shown.world.page(shown.app.url("/story"))
    with shown.world.store.reading() as tx:
        lines = {name.lower(): value for name, value in snapshots.get(tx, page.snapshot_id).headers}
    assert lines[MARK.lower()].startswith("Chromium ")
    assert lines[MARK.lower()].endswith("; 2 parts fetched, 0 refused")
    assert lines["content-type"] == "text/html; charset=utf-8"
    assert "etag" not in lines


@needs_browser
def test_nothing_that_a_script_asks_for_reaches_a_private_address(shown: Shown) -> None:
    assert "tried all" in shown.body("/spy")  # it went through, and stayed where it was
    assert shown.private.log == []
    assert shown.datagrams == []
    assert shown.report.counts["render_refused_blocked_address"] == 3  # two by itself, one behind a redirect
    assert shown.report.counts["render_refused_navigation"] == 1


@needs_browser
def test_robots_hold_for_what_scripts_fetch_and_nothing_is_posted(shown: Shown) -> None:
    assert "/hidden.json" not in shown.app.paths()
    assert shown.cdn.paths() == ["/robots.txt", "/fill.js"]
    assert "/write" not in shown.app.paths()
    assert (shown.report.counts["render_refused_robots_disallowed"], shown.report.counts["render_refused_method"]) == (
        1,
        1,
    )


@needs_browser
def test_a_page_and_its_parts_count_as_one_request(shown: Shown) -> None:
    pages = {"/story": 0, "/data.json": 0, "/spy": 1, "/spy.js": 1, "/hop": 1}
    asked = [(pages.get(one.path), one.at) for one in shown.app.log]
    gaps = [later - before for (one, before), (other, later) in itertools.pairwise(asked) if one != other]
    assert len(gaps) == 2  # from the feed, which has no number, to the first page, and from that to the other
    assert min(gaps) >= 0.3


@needs_browser
def test_credentials_go_to_the_sources_own_site_only_and_are_not_shown_to_scripts(shown: Shown) -> None:
    sent = {one.path: one.headers for one in [*shown.app.log, *shown.cdn.log]}
    assert sent["/data.json"]["Authorization"] == "Bearer t0psecret"
    assert "Authorization" not in sent["/fill.js"]
    assert {headers["User-Agent"] for headers in sent.values()} == {"Copydesk/0.1"}


@needs_browser
def test_a_page_that_never_ends_is_given_up_and_tried_later(world: World) -> None:
    site = world.site()
    site.on("/loop", b"<title>T</title><script>while (true) {}</script>", Content_Type="text/html")
    site.add_feed("/feed", ["/loop"])
    world.watch("site", site.url("/feed"), SourceKind.FEED, render=True)
    report = world.crawl(timeout_s=1.0)
    assert report.counts["render_timeout"] == 1
    page = world.page(site.url("/loop"))
    assert (page.state, page.reason, page.attempts) == (PageState.DISCOVERED, "render_timeout", 1)


@needs_browser
def test_a_site_that_asks_the_parts_of_a_page_for_peace_is_left_alone(world: World) -> None:
    site, far, shy = world.site(), world.site(), world.site()
    site.add_feed("/feed", ["/story"])
    scripts = (far.url("/fill.js"), shy.url("/more.js"), "/own.js")
    page = "".join(SHELL.format(script=script) for script in scripts)
    site.on("/story", page.encode(), Content_Type="text/html")
    shy.on("/robots.txt", b"", status=429, Retry_After="600")
    far.on("/fill.js", b"", status=503, Retry_After="900")
    site.on("/own.js", b"", status=429, Retry_After="300")
    world.watch("app", site.url("/feed"), SourceKind.FEED, render=True)
    world.crawl()
    with world.store.reading() as tx:
        rests: list[Any] = [sites.get(tx, one.address) for one in (site, shy, far)]
    assert [one.blocked_for for one in rests] == ["retry_after"] * 3
    left = [(one.blocked_until - datetime.now(UTC)).total_seconds() for one in rests]
    assert [200 < left[0] <= 300, 500 < left[1] <= 600, 800 < left[2] <= 900] == [True] * 3
    assert shy.paths() == ["/robots.txt"]


@needs_browser
def test_the_browser_has_no_network_of_its_own(world: World) -> None:
    from playwright.async_api import async_playwright  # noqa: PLC0415 - of the extra

    from crawler.browser import launch_options  # noqa: PLC0415 - likewise

    site = world.site()

    async def ask() -> list[str]:
        async with async_playwright() as play:
            browser = await play.chromium.launch(**launch_options())
            tab, failures = await browser.new_page(), []
            for host in ("127.0.0.1", "localhost", "2130706433"):
                try:
                    await tab.goto(site.url().replace("127.0.0.1", host))
                except Exception as error:  # noqa: BLE001 - playwright's, whose name needs the extra
                    failures.append(str(error))
            await browser.close()
            return failures

    assert len(asyncio.run(ask())) == 3
    assert site.log == []


def test_where_the_extra_is_missing_pages_wait_and_the_poll_says_what_to_install(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = tmp_path / "without"
    hidden.mkdir()
    hide = "u.find_spec = lambda name, *rest: None if 'playwright' in name else find(name, *rest)"
    hide = f"import importlib.util as u\nfind = u.find_spec\n{hide}\n"
    (hidden / "sitecustomize.py").write_text(hide)
    monkeypatch.setenv("PYTHONPATH", str(hidden))
    site = world.site()
    site.add_pages("/a1")
    site.add_feed("/feed", ["/a1"])
    site.on("/news", b"<a href='/a1'>x</a>", Content_Type="text/html")
    world.watch("feed", site.url("/feed"), SourceKind.FEED, render=True)
    world.watch("news", site.url("/news"), SourceKind.SECTION, render=True)
    world.crawl()
    feed, news = world.poll("feed"), world.poll("news")
    assert (feed.outcome, news.outcome) == ("ok", "no_browser")
    assert "pip install 'scrapy-playwright" in feed.note
    assert "pip install 'scrapy-playwright" in news.note
    page = world.page(site.url("/a1"))
    assert (page.state, page.reason, page.attempts) == (PageState.DISCOVERED, "no_browser", 0)
    assert "/a1" not in site.paths()
