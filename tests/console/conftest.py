"""The command line as its users meet it: called with words in an empty folder, judged by what it prints."""

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from click.testing import CliRunner, Result
from fastapi import FastAPI

from console.cli import main
from console.demo.newsroom import Newsroom
from console.web import create_app
from console.web.secrets import form_token, hash_password
from storage import accounts, pages, quarantine, reading, search, sources
from storage.records import Candidate, Lead, Poll, SourceConfig, Via
from storage.settings import Settings, load_settings
from storage.store import Store, open_store
from tasks.process import process_pages

Cli = Callable[..., Result]
PRINT_DAY = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)

SEED = """Ferry strike ends after night of talks

Ferry strike ends after night of talks

The harbour's ferry crews went back to work on Tuesday, after talks that ended a nine\u2011day strike over rosters.

"We have a deal that lets people plan their lives," said the crews' spokeswoman, Ada Quill, at the port office.

The operator had cancelled more than two hundred crossings. Islanders queued for the first boat before dawn.

The agreement sets a limit of ten\u2011hour shifts and pays a bonus for late changes, both sides said in a statement.

A vote of the crews is due within a month. Until then the old timetable applies on every route.

Read more"""
"""A text as people hand it in: the headline twice, non-breaking hyphens, a leftover link at the end."""


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Calls the program in an empty folder and checks its exit code."""
    monkeypatch.chdir(tmp_path)

    def call(*words: str, exit_code: int = 0, stdin: str | bytes | None = None) -> Result:
        result = CliRunner().invoke(main, list(words), input=stdin)
        assert result.exit_code == exit_code, (result.output, result.stderr, result.exception)
        return result

    return call


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    """The seed text as a file."""
    file = tmp_path / "seed.txt"
    file.write_text(SEED, encoding="utf-8")
    return file


@pytest.fixture
def rows(cli: Cli) -> Callable[..., list[Any]]:
    """The JSON lines that a call prints."""

    def call(*words: str, **expected: Any) -> list[Any]:
        return [json.loads(line) for line in cli(*words, "--json", **expected).stdout.splitlines()]

    return call


@pytest.fixture(scope="module")
def room() -> Iterator[Newsroom]:
    """A newsroom that a whole file of tests reads."""
    with Newsroom(PRINT_DAY) as newsroom:
        yield newsroom


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """A plain HTTP client."""
    with httpx.Client(trust_env=False, headers={"User-Agent": "Copydesk-Test/1"}) as http:
        yield http


@pytest.fixture
def fresh() -> Iterator[Newsroom]:
    """A newsroom of one's own, to be advanced and asked for what happens once."""
    with Newsroom(PRINT_DAY) as newsroom:
        yield newsroom


NOW = datetime(2026, 3, 14, 9, 26, tzinfo=UTC)
HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}"
STRIKE = (
    "The harbour's ferry crews went back to work on Tuesday, after talks that ended a strike of {days} days over the "
    "rosters. The operator had cancelled more than two hundred crossings. Islanders queued for the first boat."
)
STORY = """<html lang="en"><head><title>{title}</title><meta name="author" content="{author}">
<meta property="article:published_time" content="2026-03-10T10:00:00Z">
<meta property="og:site_name" content="{author}"></head>
<body><article><h1>{title}</h1><p>{body}</p><p>{extra}</p></article></body></html>"""
SAME = {"Sec-Fetch-Site": "same-origin"}


class Person:
    """A person's browser without a socket: asks for HTML, keeps its cookie, sends forms with their token."""

    def __init__(self, app: FastAPI, store: Store, settings: Settings) -> None:
        self.app, self.store, self.settings = app, store, settings
        self.cookies = httpx.Cookies()

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            headers = {"Accept": "text/html", **SAME} | more.pop("headers", {})
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://127.0.0.1", cookies=self.cookies
            ) as client:
                answer = await client.request(method, path, headers=headers, **more)
                self.cookies = client.cookies
                return answer

        return asyncio.run(send())

    def read(self, path: str) -> str:
        answer = self.ask("GET", path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.text

    def send(self, path: str, **form: Any) -> httpx.Response:
        files = form.pop("files", None)
        return self.ask("POST", path, data={"form_token": self.token, **form}, files=files)

    @property
    def token(self) -> str:
        return form_token(self.cookies.get("copydesk") or "")

    def log_in(self) -> "Person":
        kept = hash_password("a ferry at dawn")
        self.store.write(lambda tx: accounts.set_password(tx, "ada", kept, NOW))
        answer = self.ask("POST", "/login", data={"name": "ada", "password": "a ferry at dawn"})
        assert answer.status_code == 303
        return self

    def work(self) -> None:
        """Do what the workers do."""
        with self.store.reading() as tx:
            waiting = list(tx.exec_driver_sql("SELECT id FROM page WHERE state = 'fetched'").scalars())
        process_pages(self.store, waiting, clock=lambda: datetime.now(UTC), recipes={}, settings=self.settings)
        self.store.write(lambda tx: search.catch_up(tx, datetime.now(UTC)))

    def take_in(self, url: str, body: str) -> str:
        sent = self.send("/ingest/file", url=url, files={"file": ("page.html", body.encode())})
        assert sent.status_code == 303, sent.text
        self.work()
        return sent.headers["location"]

    def watch(self, name: str, **more: Any) -> int:
        config = SourceConfig(name=name, url="https://coast.example/feed", **more)
        made = {"site": "coast.example", "now": NOW, "interval_s": 300}
        return self.store.write(lambda tx: sources.add(tx, config, **made).id)  # type: ignore[arg-type]

    def quarantine(self, source_id: int) -> int:
        """Put a page with a hostile address there."""
        address = "https://coast.example/?<script>alert(3)</script>"
        lead = Lead(key=address, site="coast.example", candidate=Candidate(url=address, via=Via.FEED))
        found = self.store.write(lambda tx: pages.discover(tx, source_id, [lead], NOW))
        page_id = found.new[0]
        self.store.write(lambda tx: quarantine.put(tx, page_id, stage="extract", error=HOSTILE, attempts=4, now=NOW))
        return page_id

    def paths(self) -> list[str]:
        """Every page of the desk."""
        with self.store.reading() as tx:
            [stuck] = quarantine.listed(tx)
            newest = reading.newest(tx)[0]
        name = httpx.QueryParams({"name": HOSTILE})
        return [
            *("/", "/room", "/sources", "/source/new", f"/source/edit?{name}", "/articles", "/articles?q=ferry"),
            str(httpx.URL("http://x/sources/").join(quote(HOSTILE, safe="")).raw_path, "ascii"),
            *(f"/articles/{newest.id}", f"/articles/{newest.id}?from=1&to=2", "/runs", "/jobs/1", "/jobs/1/progress"),
            *("/quarantine", f"/quarantine/{stuck.page_id}", "/explain", "/settings"),
            f"/explain?{httpx.QueryParams({'url': stuck.url})}",
            "/explain?url=https://harbour.example/ferry",
            "/explain?url=javascript:alert(4)",
        ]


@pytest.fixture
def browser(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Person]:
    chosen = load_settings({"data": tmp_path / "data"}, {}, tmp_path / "none")
    url = getattr(request, "param", None)
    chosen = replace(chosen, database=request.getfixturevalue(url)) if url else chosen
    store = open_store(chosen)
    yield Person(create_app(store, chosen), store, chosen)
    store.close()


@pytest.fixture
def desk(browser: Person) -> Person:
    """Logged in, with a hostile article in two versions, a polled source and a quarantined page."""
    browser.log_in()
    for days in (9, 12):
        told = STORY.format(
            title="Ferry strike " + _escaped(HOSTILE),
            author=_escaped(HOSTILE),
            body=STRIKE.format(days=days),
            extra=_escaped(HOSTILE),
        )
        browser.take_in("https://harbour.example/ferry", told)
    source_id = browser.watch(HOSTILE)
    for at in range(3):
        visit = Poll(
            source_id=source_id,
            started_at=NOW + timedelta(hours=at),
            finished_at=NOW + timedelta(hours=at),
            outcome="ok" if at else "timeout",
            status=200,
            entries=9,
            new=at,
            note=HOSTILE,
        )
        browser.store.write(lambda tx, visit=visit: sources.polled(tx, visit, next_at=NOW, interval_s=300, failures=0))  # type: ignore[misc]
    browser.quarantine(source_id)
    return browser


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
