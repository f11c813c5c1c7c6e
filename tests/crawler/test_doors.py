"""Every door by which an evil site could send us inside: nothing that may not be asked is ever asked.

With the inner server among the allowed addresses it is asked, so these doors do lead there; without, its log stays
empty, with all doors tried at once.
"""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from storage.records import PageState, SourceKind
from storage.tables import page
from tasks.process import process_page

HTML = {"Content_Type": "text/html; charset=utf-8"}
STORY = "<article><h1>Ferry</h1><p>" + "The ferry to the islands ran again after the storm. " * 12 + "</p></article>"
Door = Callable[[Any, Any, Any], None]


def link_in_a_feed(world: Any, evil: Any, inner: Any) -> None:
    evil.add_feed("/feed.xml", [inner.url("/secret")])
    world.watch(evil.address, evil.url("/feed.xml"))


def redirect_of_a_feed(world: Any, evil: Any, inner: Any) -> None:
    evil.redirect("/feed.xml", inner.url("/secret"))
    world.watch(evil.address, evil.url("/feed.xml"))


def redirect_of_a_page(world: Any, evil: Any, inner: Any) -> None:
    evil.add_feed("/feed.xml", ["/a"])
    evil.redirect("/a", inner.url("/secret"))
    world.watch(evil.address, evil.url("/feed.xml"))


def meta_refresh(world: Any, evil: Any, inner: Any) -> None:
    evil.add_feed("/feed.xml", ["/a"])
    evil.on("/a", f'<meta http-equiv="refresh" content="0; url={inner.url("/secret")}">'.encode(), **HTML)
    world.watch(evil.address, evil.url("/feed.xml"))


def redirect_of_robots(world: Any, evil: Any, inner: Any) -> None:
    evil.redirect("/robots.txt", inner.url("/robots.txt"))
    evil.add_feed("/feed.xml", [])
    world.watch(evil.address, evil.url("/feed.xml"))


def entry_of_a_sitemap(world: Any, evil: Any, inner: Any) -> None:
    evil.on("/sitemap.xml", f"<urlset><url><loc>{inner.url('/secret')}</loc></url></urlset>".encode())
    world.watch(evil.address, evil.url("/sitemap.xml"), SourceKind.SITEMAP)


def link_on_a_section_page(world: Any, evil: Any, inner: Any) -> None:
    item = '<article><h2><a href="{url}">A long story of the day {n}</a></h2></article>'
    items = "".join(item.format(url=evil.url(f"/2026/03/0{n}/a-long-story-{n}"), n=n) for n in range(1, 8))
    own = item.format(url=inner.url("/2026/03/09/the-secret-story"), n=9)
    evil.on("/", f"<html><body><main>{items}{own}</main></body></html>".encode(), **HTML)
    world.watch(evil.address, evil.url("/"), SourceKind.SECTION)


def next_page_of_an_article(world: Any, evil: Any, inner: Any) -> None:
    evil.add_feed("/feed.xml", ["/a"])
    evil.on("/a", f'<title>F</title><link rel="next" href="{inner.url("/a?page=2")}">{STORY}'.encode(), **HTML)
    world.watch(evil.address, evil.url("/feed.xml"))


def declared_canonical(world: Any, evil: Any, inner: Any) -> None:
    evil.add_feed("/feed.xml", ["/a"])
    evil.on("/a", f'<title>F</title><link rel="canonical" href="{inner.url("/secret")}">{STORY}'.encode(), **HTML)
    world.watch(evil.address, evil.url("/feed.xml"))


def images_and_scripts(world: Any, evil: Any, inner: Any) -> None:
    url = inner.url("/secret")
    parts = f'<img src="{url}"><script src="{url}"></script><iframe src="{url}"></iframe>'
    parts += f'<meta property="og:image" content="{url}"><link rel="stylesheet" href="{url}">'
    evil.add_feed("/feed.xml", ["/a"])
    evil.on("/a", f"<title>F</title>{parts}{STORY}".encode(), **HTML)
    world.watch(evil.address, evil.url("/feed.xml"))


def websub_hub(world: Any, evil: Any, inner: Any) -> None:
    links = f'<{inner.url("/hub")}>; rel="hub", <{evil.url("/feed.xml")}>; rel="self"'
    evil.on("/feed.xml", b"<rss><channel><title>T</title></channel></rss>", Link=links)
    world.watch(evil.address, evil.url("/feed.xml"))


LEADING: tuple[Door, ...] = (
    link_in_a_feed,
    redirect_of_a_feed,
    redirect_of_a_page,
    meta_refresh,
    redirect_of_robots,
    entry_of_a_sitemap,
)
"""Those by which we would go if we were allowed to."""
OTHERS: tuple[Door, ...] = (
    link_on_a_section_page,
    next_page_of_an_article,
    declared_canonical,
    images_and_scripts,
    websub_hub,
)


def go(make_world: Callable[..., Any], folder: Path, *doors: Door, allowed: bool) -> list[str]:
    """What the inner server was asked for after two crawls of a site for each door, with all pages processed."""
    world = make_world(folder, public_url="https://desk.example", recheck=False)
    try:
        inner = world.site(allowed=allowed)
        inner.add_pages("/secret", "/a?page=2", "/2026/03/09/the-secret-story")
        for door in doors:
            door(world, world.site(), inner)
        for _ in range(2):
            world.crawl()
            _process(world)
            world.make_due(world.sites)
        return list(inner.paths())
    finally:
        world.close()


def _process(world: Any) -> None:
    with world.store.reading() as tx:
        waiting = list(tx.execute(select(page.c.id).where(page.c.state == PageState.FETCHED.value)).scalars())
    for one in waiting:
        process_page(world.store, one, now=datetime.now(UTC), recipes={}, settings=world.settings())


@pytest.mark.parametrize("door", LEADING, ids=lambda door: door.__name__)
def test_this_way_leads_inside_where_it_is_allowed(make_world: Callable[..., Any], tmp_path: Path, door: Door) -> None:
    assert go(make_world, tmp_path, door, allowed=True) != []


def test_nothing_inside_is_asked_by_any_of_them(make_world: Callable[..., Any], tmp_path: Path) -> None:
    assert go(make_world, tmp_path, *LEADING, *OTHERS, allowed=False) == []


class WithLogin:
    """The inner server, whose addresses all carry a log-in."""

    def __init__(self, site: Any) -> None:
        self._site = site

    def url(self, path: str = "/") -> str:
        return str(self._site.url(path)).replace("://", "://desk:s3cret@")


def test_an_address_with_a_login_is_asked_by_no_door_and_its_password_is_nowhere(
    make_world: Callable[..., Any], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    world = make_world(tmp_path, public_url="https://desk.example", recheck=False)
    try:
        inner = world.site()
        inner.add_pages("/secret", "/a?page=2", "/2026/03/09/the-secret-story")
        evil = {door.__name__: world.site() for door in (*LEADING, *OTHERS)}
        for door in (*LEADING, *OTHERS):
            door(world, evil[door.__name__], WithLogin(inner))
        world.crawl()
        _process(world)
        assert inner.paths() == []
        with world.store.reading() as tx:
            reasons = {row.reason for row in tx.execute(select(page.c.reason))}
        assert "login_in_url" in reasons, "of a page that leads there"
        assert world.poll(evil["redirect_of_a_feed"].address).outcome == "login_in_url"
        told = world.poll(evil["link_in_a_feed"].address).note + world.poll(evil["entry_of_a_sitemap"].address).note
        assert told.count("login_in_url") == 2
    finally:
        world.close()
    shown = capfd.readouterr()
    assert "s3cret" not in shown.out + shown.err + str(world.events)


NAMES = """
import pathlib, socket
real, asked = socket.getaddrinfo, pathlib.Path(r"{log}")
def answer(host, *more, **named):
    if host not in ("rebind.example", b"rebind.example"):
        return real(host, *more, **named)
    with asked.open("a") as log:
        log.write("asked\\n")
    turn = len(asked.read_text().splitlines())
    return real(["{first}", "{later}"][turn > 1], *more, **named)
socket.getaddrinfo = answer
"""


def _rebinding(make_world: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *names: str) -> Any:
    """A crawl of a name that leads to the first address when it is asked for first, and to the other from then on."""
    folder, log = tmp_path / "names", tmp_path / "asked"
    folder.mkdir()
    log.touch()
    (folder / "sitecustomize.py").write_text(NAMES.format(log=log, first=names[0], later=names[1]), "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    world = make_world(tmp_path)
    site = world.site()
    port = site.address.partition(":")[2]
    site.on(
        "/feed.xml", f"<rss><channel><item><link>http://rebind.example:{port}/a</link></item></channel></rss>".encode()
    )
    world.watch("rebind", f"http://rebind.example:{port}/feed.xml")
    world.crawl()
    found = site.paths(), world.poll("rebind").outcome, len(log.read_text().splitlines())
    world.close()
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 is this machine on Linux only")
def test_a_name_that_turns_inside_is_not_followed_there(
    make_world: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the server hears every address of 127.0.0.0/8 that is 127.0.0.1; only that one is allowed
    paths, outcome, lookups = _rebinding(make_world, tmp_path, monkeypatch, "127.0.0.1", "127.0.0.2")
    assert (outcome, lookups) == ("ok", 1), "what was judged is what is connected to: there is no second look"
    assert "/feed.xml" in paths


def test_a_name_that_leads_inside_at_first_is_refused(
    make_world: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths, outcome, _ = _rebinding(make_world, tmp_path, monkeypatch, "127.0.0.2", "127.0.0.2")
    assert (paths, outcome) == ([], "blocked_address")
