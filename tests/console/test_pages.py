"""The pages for people: what they show, whom they let do what, and that nothing of a stranger's page runs in them."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from console.web import create_app
from console.web.secrets import digest
from storage import accounts, quarantine, reading, sources

NOW = datetime(2026, 3, 14, 9, 26, tzinfo=UTC)
PAGE_OF_FERRY = """<html lang="en"><head><title>Ferry strike ends</title></head>
<body><article><h1>Ferry strike ends</h1>
<p>The harbour's ferry crews went back to work on Tuesday, after talks that ended a strike of {days} days over the
rosters. The operator had cancelled more than two hundred crossings. Islanders queued for the first boat.</p>
</article></body></html>"""


class _Tags(HTMLParser):
    """Collects what could run."""

    def __init__(self) -> None:
        super().__init__()
        self.bad: list[str] = []
        self.closed: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "script" and not values.get("src") and values.get("type") != "application/json":
            self.bad.append(f"<script>: {attrs}")
        if tag in ("img", "iframe", "style", "object", "embed"):
            self.bad.append(f"<{tag}>")
        self.bad += [f"{name}=" for name in values if name.startswith("on") or name == "style"]
        for name in ("href", "src", "action"):
            if (values.get(name) or "").strip().lower().startswith(("javascript:", "data:")):
                self.bad.append(f"{name}={values[name]}")


def test_nothing_of_a_strangers_page_runs(desk: Any) -> None:
    seen = 0
    for path in desk.paths():
        shown = desk.read(path)
        tags = _Tags()
        tags.feed(shown)
        assert tags.bad == [], (path, tags.bad)
        assert "49" not in re.findall(r"onerror=alert\(2\)&gt;(\w+)", shown), path
        seen += "&lt;script&gt;" in shown
    assert seen >= 8


def test_a_hostile_name_in_a_picture_ends_no_script(desk: Any) -> None:
    assert "</script><img" not in desk.read("/")


def test_pages_need_no_log_in_to_be_read_here(browser: Any) -> None:
    shown = browser.read("/sources")
    assert "Add a source" not in shown
    assert "Log in" in shown


def test_a_browser_that_may_not_read_is_sent_to_the_log_in_and_back(browser: Any) -> None:
    browser.log_in()
    browser.cookies = httpx.Cookies()
    answer = browser.ask("GET", "/articles?q=ferry")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?to=%2Farticles%3Fq%3Dferry"
    assert browser.ask("GET", "/articles", headers={"Accept": "*/*"}).status_code == 401


FORMS = [
    ("/source/new", "admin", {"entry": 'url = "https://new.example/feed"'}),
    ("/source/edit", "admin", {"name": "coast", "entry": 'name = "coast"\nurl = "https://coast.example/other"'}),
    ("/source/probe", "admin", {"url": "nonsense"}),
    ("/sources/coast/crawl", "trigger", {}),
    ("/sources/coast/pause", "admin", {}),
    ("/sources/coast/resume", "admin", {}),
    ("/ingest", "trigger", {"url": "https://coast.example/one"}),
    ("/quarantine/{page}/retry", "trigger", {}),
    ("/quarantine/{page}/drop", "admin", {}),
]


@pytest.mark.parametrize(("path", "scope", "form"), FORMS)
def test_each_button_needs_its_right_and_our_form(browser: Any, path: str, scope: str, form: dict[str, str]) -> None:
    browser.log_in()
    source_id = browser.watch("coast")
    browser.quarantine(source_id)
    with browser.store.reading() as tx:
        path = path.format(page=quarantine.listed(tx)[0].page_id)
    told = browser.ask("POST", path, data=form)
    assert told.status_code == 403, "without the form's token"
    foreign = browser.ask(
        "POST", path, data={**form, "form_token": browser.token}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert foreign.status_code == 403, "from another site's page"
    _lesser_token_is_refused(browser, path, scope, form)
    assert browser.send(path, **form).status_code in (303, 422)


def _lesser_token_is_refused(browser: Any, path: str, scope: str, form: dict[str, str]) -> None:
    lesser = accounts.Scope.READ if scope == "trigger" else accounts.Scope.TRIGGER
    browser.store.write(lambda tx: accounts.add_token(tx, "small", digest("cd_small"), lesser, NOW))
    mine, browser.cookies = browser.cookies, httpx.Cookies()
    told = browser.ask("POST", path, data=form, headers={"Authorization": "Bearer cd_small", "Accept": "*/*"})
    browser.cookies = mine
    assert told.status_code == 403, "with a lesser token"


def test_a_source_is_added_changed_paused_and_crawled(browser: Any) -> None:
    browser.log_in()
    wrong = browser.send("/source/new", entry='url = "https://coast.example/feed"\nevery = "soon"')
    assert wrong.status_code == 422
    assert "every" in wrong.text
    assert "no TOML" in browser.send("/source/new", entry="url = ").text
    added = browser.send("/source/new", entry='name = "coast"\nurl = "https://coast.example/feed"')
    assert added.headers["location"] == "/sources/coast"
    assert "exists already" in browser.send("/source/new", entry='name = "coast"\nurl = "https://a.example/"').text
    browser.send("/sources/coast/pause")
    changed = browser.send("/source/edit", name="coast", entry='name = "coast"\nurl = "https://coast.example/rss"')
    assert changed.status_code == 303
    with browser.store.reading() as tx:
        found = sources.get(tx, "coast")
    assert (found.config.url, found.paused) == ("https://coast.example/rss", True)
    renamed = browser.send("/source/edit", name="coast", entry='name = "shore"\nurl = "https://coast.example/rss"')
    assert "must stay" in renamed.text
    browser.send("/sources/coast/resume")
    sent = browser.send("/sources/coast/crawl")
    assert "waiting" in browser.read(sent.headers["location"])
    assert 'hx-trigger="every 2s"' in browser.read(sent.headers["location"] + "/progress")


def test_what_was_taken_in_is_shown_with_versions_side_by_side(browser: Any) -> None:
    browser.log_in()
    address = "https://harbour.example/ferry"
    for days in (9, 12):
        told = PAGE_OF_FERRY.format(days=days)
        job = browser.take_in(address, told)
    assert ">done<" in browser.read(job)
    with browser.store.reading() as tx:
        found = reading.newest(tx)[0]
    shown = browser.read(f"/articles/{found.id}")
    assert "<del>9</del>" in shown
    assert "<ins>12</ins>" in shown
    assert "primary: only member" in shown
    assert f'href="{address}" rel="noopener noreferrer nofollow"' in shown
    assert browser.ask("GET", f"/articles/{found.id}?from=1&to=7").status_code == 404
    assert "<mark>strike</mark>" in browser.read("/articles?q=strike")
    assert "Nothing was found" in browser.read("/articles?q=zeppelin")
    assert "there is no field" in browser.read("/articles?q=colour:red")


def test_a_quarantined_page_is_retried_and_dropped(desk: Any) -> None:
    with desk.store.reading() as tx:
        [stuck] = quarantine.listed(tx)
    assert desk.send(f"/quarantine/{stuck.page_id}/retry").headers["location"] == "/quarantine"
    assert "Nothing is in quarantine" in desk.read("/quarantine")
    assert desk.send(f"/quarantine/{stuck.page_id}/drop").status_code == 404


def test_lists_go_on_where_the_page_ended(browser: Any) -> None:
    for number in range(51):
        browser.watch(f"coast-{number:02}")
    first = browser.read("/sources?begins=coast")
    assert first.count("/sources/coast-") == 50
    [more] = re.findall(r'rel="next" href="([^"]+)"', first)
    assert browser.read(more.replace("&amp;", "&")).count("/sources/coast-") == 1
    assert "No sources here" in browser.read("/sources?begins=valley")


def test_the_settings_page_masks_passwords(browser: Any) -> None:
    browser.log_in()
    app = create_app(browser.store, replace(browser.settings, broker="redis://desk:hush@broker.example/0"))
    browser.app = app
    shown = browser.read("/settings")
    assert "hush" not in shown
    assert "broker.example" in shown


def test_an_error_is_a_page_for_people_and_a_problem_for_programs(browser: Any) -> None:
    assert "<h1>Not Found</h1>" in browser.ask("GET", "/articles/77").text
    told = browser.ask("GET", "/articles/77", headers={"Accept": "*/*"})
    assert told.headers["content-type"] == "application/problem+json"
