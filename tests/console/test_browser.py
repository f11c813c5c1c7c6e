"""The pages in a real browser: a person adds a site, crawls it, reads, compares versions, and retries what failed."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect, sync_playwright

from console.demo.newsroom import Newsroom
from console.web import create_app
from console.web.secrets import hash_password
from crawler.urls import site_of
from storage import accounts, quarantine, reading, search, sources
from storage.settings import Settings, load_settings
from storage.store import Store, open_store

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-first-run", "--disable-quic"),
)
PASSWORD = "a ferry at dawn"
expect.set_options(timeout=20_000)
PICTURES = os.environ.get("README_PICTURES", "")
"""A folder to which the pictures of the README are written; empty: none are."""
pytestmark = pytest.mark.skipif(
    not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}; 'apt-get install chromium' brings it"
)


class Desk:
    """The web server on a socket, with a store, beside the invented newsroom."""

    def __init__(self, store: Store, settings: Settings, newsroom: Newsroom, server: uvicorn.Server) -> None:
        self.store, self.settings, self.newsroom, self._server = store, settings, newsroom, server

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"

    def crawl(self, *names: str) -> None:
        """What the workers do, by the command that does it all at once; sources, where named, are polled first."""
        command = [sys.executable, "-m", "console.cli", "crawl", *names]
        environment = {**os.environ, **self.settings.environment()}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        self.store.write(lambda tx: search.catch_up(tx, datetime.now(UTC), 1000))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, valkey_url: str) -> Iterator[Desk]:
    with Newsroom() as newsroom:
        options = {
            "data": tmp_path_factory.mktemp("desk") / "data",
            "broker": valkey_url,
            "allow_addresses": ",".join(newsroom.allow_addresses),
            "delay_s": "0",
            "contact": "desk@news.example",
        }
        settings = load_settings(options, {}, Path("none"))
        store = open_store(settings)
        kept = hash_password(PASSWORD)
        store.write(lambda tx: accounts.set_password(tx, "ada", kept, datetime.now(UTC)))
        server = uvicorn.Server(uvicorn.Config(create_app(store, settings), port=0, log_level="warning"))
        ready = threading.Event()
        thread = threading.Thread(target=_serve, args=(server, ready), daemon=True)
        thread.start()
        assert ready.wait(20)
        yield Desk(store, settings, newsroom, server)
        server.should_exit = True
        thread.join(20)
        store.close()


def _serve(server: uvicorn.Server, ready: threading.Event) -> None:
    begin = server.startup

    async def startup(*words: Any, **named: Any) -> None:
        await begin(*words, **named)
        ready.set()

    server.startup = startup  # type: ignore[method-assign]
    server.run()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, desk: Desk) -> Iterator[Page]:
    """A page of somebody who is logged in; nothing may go wrong in it unseen."""
    context = chromium.new_context(base_url=desk.address, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(20_000)
    opened, complaints = context.new_page(), []
    opened.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto("/login")
    opened.get_by_label("Name").fill("ada")
    opened.get_by_label("Password").fill(PASSWORD)
    opened.get_by_role("button", name="Log in").click()
    expect(opened.get_by_role("heading", level=1)).to_contain_text("Overview")
    yield opened
    context.close()
    assert complaints == []


def _is_sound(page: Page) -> None:
    """No serious or critical fault that axe knows of."""
    found = Axe().run(page).response["violations"]
    bad = [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")]
    assert bad == [], page.url


def test_a_person_works_a_day(page: Page, desk: Desk) -> None:
    first, *others = desk.newsroom.sources
    now = datetime.now(UTC)
    for config in others:
        more = {"site": site_of(config.url), "now": now, "interval_s": 300}
        desk.store.write(lambda tx, config=config, more=more: sources.add(tx, config, **more))  # type: ignore[misc]
    page.goto("/source/new")
    page.get_by_label("In TOML").fill(f'name = "{first.name}"\nurl = "{first.url}"\npublisher = "{first.publisher}"')
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(first.name)
    page.get_by_role("button", name="Crawl now").click()
    expect(page.locator("#progress .state")).to_have_text("waiting")
    desk.crawl()
    expect(page.locator("#progress .state")).to_have_text("done")  # by itself: nobody loaded the page again
    _is_sound(page)
    desk.newsroom.advance()
    desk.crawl(*(one.name for one in desk.newsroom.sources))
    _reads(page, desk)
    _retries(page, desk)
    _looks_at_everything(page, desk)
    _takes_pictures(page, desk)


def _reads(page: Page, desk: Desk) -> None:
    with desk.store.reading() as tx:
        changed = next(one for one in reading.newest(tx, limit=500) if one.version > 1)
    page.goto("/articles")
    page.get_by_label("Search").fill(f'"{changed.content.title}"')
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name=changed.content.title).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(changed.content.title)
    expect(page.locator(".diff ins").first).to_be_visible()
    _is_sound(page)


def _retries(page: Page, desk: Desk) -> None:
    now = datetime.now(UTC)
    with desk.store.reading() as tx:
        page_id = int(tx.exec_driver_sql("SELECT min(page_id) FROM article").scalar_one())
    desk.store.write(lambda tx: quarantine.put(tx, page_id, stage="extract", error="no memory", attempts=4, now=now))
    page.goto("/quarantine")
    _is_sound(page)
    page.get_by_role("main").get_by_role("link").first.click()
    expect(page.locator("pre")).to_have_text("no memory")
    _is_sound(page)
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_role("main")).to_contain_text("Nothing is in quarantine")


def _looks_at_everything(page: Page, desk: Desk) -> None:
    address = desk.newsroom.sources[0]
    paths = ("/", "/sources", f"/sources/{address.name}", "/source/new", "/articles", "/runs", "/settings")
    # as if the page had just become narrow, and no picture had been drawn anew yet
    page.add_init_script("window.ResizeObserver = class { observe() {} }")
    for path in (*paths, f"/explain?url={address.url}"):
        page.goto(path)
        _is_sound(page)
        page.set_viewport_size({"width": 360, "height": 800})
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, path
        page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="dark")
    for path in ("/", f"/sources/{address.name}"):
        page.goto(path)
        _is_sound(page)
    page.goto("/")
    expect(page.locator(".picture canvas")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()


def _takes_pictures(page: Page, desk: Desk) -> None:
    if not PICTURES:
        return
    with desk.store.reading() as tx:
        sizes = {one.id: len(reading.members(tx, one.cluster_id)) for one in reading.newest(tx, limit=500)}
    widest = max(sizes, key=lambda article_id: sizes[article_id])
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 860})
    for name, path in (("dashboard", "/"), ("cluster", f"/articles/{widest}")):
        page.goto(path)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=f"{PICTURES}/{name}.png")


def test_buttons_work_without_scripts(chromium: Browser, desk: Desk) -> None:
    context = chromium.new_context(base_url=desk.address, java_script_enabled=False)
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.goto("/runs")
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("An address").fill("https://coast.example/without-scripts")
    page.get_by_role("button", name="Fetch").click()
    expect(page.locator("#progress .state")).to_have_text("waiting")
    page.get_by_role("link", name="Load again").click()
    expect(page.locator("#progress .state")).to_have_text("waiting")
    context.close()
