"""The API for programs, on a store with the demo's articles in it."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
import time_machine
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from schemathesis.core.result import Ok

from console.web import create_app
from console.web.secrets import digest
from storage import accounts, search, sources
from storage.accounts import Scope
from storage.records import SourceConfig
from storage.settings import load_settings
from storage.store import Store, open_store
from tasks.process import process_pages

SECRET = "cd_test"
PAGE = """<html lang="en"><head><title>{title}</title>
<meta property="article:published_time" content="2026-03-{day:02}T10:00:00Z"></head>
<body><article><h1>{title}</h1><p>{text}</p></article></body></html>"""
TEXT = "The harbour's ferry crews went back to work on Tuesday, after talks that ended a strike of {days} days. " * 4

FAIR = (
    "A fair of small boats drew crowds to the old pier on Sunday, where a band played until late and children sailed "
    "models of famous ships across the basin."
)
SNOW = (
    "Snow closed the mountain pass for the first time this winter, and drivers were asked to take the tunnel until "
    "ploughs had cleared the road."
)


class Api:
    """Asks the application without a socket, with a token that may do everything."""

    def __init__(self, app: FastAPI, store: Store) -> None:
        self.app, self.store = app, store

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            headers = {"Authorization": f"Bearer {SECRET}"} | more.pop("headers", {})
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://desk.example") as client:
                return await client.request(method, path, headers=headers, **more)

        return asyncio.run(send())

    def get(self, path: str, **params: Any) -> Any:
        answer = self.ask("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ingest(self, url: str, body: str) -> Any:
        sent = self.ask("POST", "/api/ingest/file", params={"url": url}, files={"file": ("page.html", body)})
        assert sent.status_code == 202, sent.text
        return sent.json()

    def watch(self, name: str) -> None:
        config = SourceConfig(name=name, url=f"https://{name}.example/feed")
        more = {"site": f"{name}.example", "now": datetime.now(UTC), "interval_s": 300}
        self.store.write(lambda tx: sources.add(tx, config, **more))  # type: ignore[arg-type]

    def work(self) -> None:
        """Do what the workers do."""
        with self.store.reading() as tx:
            waiting = list(tx.exec_driver_sql("SELECT id FROM page WHERE state = 'fetched'").scalars())
        process_pages(
            self.store, waiting, clock=lambda: datetime.now(UTC), recipes={}, settings=self.app.state.settings
        )
        self.store.write(lambda tx: search.catch_up(tx, datetime.now(UTC)))


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    chosen = load_settings({"data": tmp_path / "data"}, {}, tmp_path / "none")
    store = open_store(chosen)
    now = datetime.now(UTC)
    store.write(lambda tx: accounts.add_token(tx, "test", digest(SECRET), Scope.ADMIN, now))
    yield Api(create_app(store, chosen), store)
    store.close()


@pytest.fixture
def shelf(api: Api) -> Api:
    """Two articles, the first of them corrected."""
    api.ingest(
        "https://harbour.example/ferry", PAGE.format(title="Ferry strike ends", day=10, text=TEXT.format(days=9))
    )
    api.ingest(
        "https://coast.example/fair",
        PAGE.format(
            title="Boats at the fair",
            day=11,
            text=FAIR,
        ),
    )
    api.work()
    api.ingest(
        "https://harbour.example/ferry", PAGE.format(title="Ferry strike ends", day=10, text=TEXT.format(days=12))
    )
    api.work()
    return api


def test_lists_go_page_by_page_and_filter(shelf: Api) -> None:
    first = shelf.get("/api/articles", limit=1)
    assert [one["title"] for one in first["articles"]] == ["Ferry strike ends"]
    rest = shelf.get("/api/articles", limit=10, after=first["next"])
    assert ([one["title"] for one in rest["articles"]], rest["next"]) == (["Boats at the fair"], None)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"site": "coast.example"}, 1),
        ({"language": "en"}, 2),
        ({"language": "de"}, 0),
        ({"access": "free"}, 2),
        ({"published_since": "2026-03-11T00:00:00Z"}, 1),
        ({"published_until": "2026-03-11T00:00:00"}, 1),
        ({"seen_since": "2100-01-01T00:00:00Z"}, 0),
        ({"cluster": 1}, 1),
        ({"primary": True}, 2),
        ({"primary": False}, 0),
        ({"source": "manual"}, 2),
        ({"source": "nobody"}, 0),
        ({"section": "sport"}, 0),
        ({"publisher": "nobody"}, 0),
    ],
)
def test_filters(shelf: Api, asked: dict[str, Any], found: int) -> None:
    assert len(shelf.get("/api/articles", **asked)["articles"]) == found


def test_search(shelf: Api) -> None:
    answer = shelf.get("/api/articles/search", q="crew -boats")
    assert (len(answer["results"]), answer["behind"], answer["next"]) == (1, 0, None)
    best = answer["results"][0]
    start, end = best["snippet"]["marks"][0]
    assert (best["article"]["title"], best["snippet"]["text"][start:end]) == ("Ferry strike ends", "crews")
    wrong = shelf.ask("GET", "/api/articles/search", params={"q": "colour:red"})
    assert (wrong.status_code, wrong.headers["content-type"]) == (422, "application/problem+json")


def test_one_article_its_versions_and_their_difference(shelf: Api) -> None:
    assert shelf.get("/api/articles/1")["version"] == 2
    assert shelf.get("/api/articles/by-url", url="https://harbour.example/ferry?utm_source=x")["id"] == 1
    assert [one["version"] for one in shelf.get("/api/articles/1/versions")["versions"]] == [1, 2]
    told = shelf.get("/api/articles/1/diff")
    changed = [piece["text"] for one in told["sentences"] for piece in one["pieces"] if piece["kind"] == "added"]
    assert (told["from"], told["to"], changed[0]) == (1, 2, "12")
    for path in ("/api/articles/9", "/api/articles/9/versions", "/api/articles/1/diff?to=7", "/api/articles/9/raw"):
        assert shelf.ask("GET", path).status_code == 404, path


def test_the_archived_page_is_a_download(shelf: Api) -> None:
    answer = shelf.ask("GET", "/api/articles/1/raw")
    assert answer.content.startswith(b"<html")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")


def test_a_caller_that_knows_gets_no_body(shelf: Api) -> None:
    tag = shelf.ask("GET", "/api/articles/1").headers["etag"]
    again = shelf.ask("GET", "/api/articles/1", headers={"If-None-Match": f'"other", {tag}'})
    assert (again.status_code, again.content) == (304, b"")


def test_long_answers_are_compressed(shelf: Api) -> None:
    assert shelf.ask("GET", "/api/articles", headers={"Accept-Encoding": "gzip"}).headers["content-encoding"] == "gzip"


def test_a_cluster(shelf: Api) -> None:
    told = shelf.get("/api/clusters/1")
    assert (told["primary"], told["primary_reason"], told["first"]) == (1, "only_member", 1)
    assert [one["url"] for one in told["members"]] == ["https://harbour.example/ferry"]
    assert shelf.ask("GET", "/api/clusters/99").status_code == 404


def test_sources_and_their_polls(api: Api) -> None:
    api.watch("harbour")
    assert [one["name"] for one in api.get("/api/sources")["sources"]] == ["harbour"]
    assert api.get("/api/sources/harbour")["url"] == "https://harbour.example/feed"
    assert api.get("/api/sources/harbour/polls") == {"polls": []}
    assert api.ask("GET", "/api/sources/nobody").status_code == 404


def test_a_job_to_ingest_a_file(api: Api) -> None:
    job = api.ingest("https://harbour.example/ferry", PAGE.format(title="Ferry", day=10, text=TEXT))
    assert (job["kind"], job["state"], job["pages"], job["asked_by"]) == ("ingest", "running", {"fetched": 1}, "test")
    api.work()
    done = api.get(f"/api/jobs/{job['id']}")
    assert (done["state"], done["pages"], done["articles"]) == ("done", {"article": 1}, [1])
    assert [one["id"] for one in api.get("/api/jobs")["jobs"]] == [job["id"]]


def test_what_cannot_be_read_is_told(api: Api) -> None:
    sent = api.ask("POST", "/api/ingest/file", files={"file": ("lines.jsonl", '{"url": "https://a.example/"}\n')})
    assert (sent.json()["state"], len(sent.json()["problems"])) == ("done", 1)
    empty = api.ask("POST", "/api/ingest/file", files={"file": ("nothing.html", b"")})
    assert (empty.status_code, empty.json()["status"]) == (422, 422)


def test_a_job_to_fetch_an_address(api: Api) -> None:
    sent = api.ask("POST", "/api/ingest", json={"url": "https://harbour.example/ferry"})
    assert (sent.status_code, sent.headers["location"]) == (202, "/api/jobs/1")
    assert (sent.json()["state"], sent.json()["pages"]) == ("waiting", {"discovered": 1})
    assert api.ask("POST", "/api/ingest", json={"url": "file:///etc/passwd"}).status_code == 422
    refused = api.ask("POST", "/api/ingest", json={"url": "https://desk:s3cret@news.example/a"})
    assert (refused.status_code, "login_in_url" in refused.text, "s3cret" in refused.text) == (422, True, False)


@pytest.mark.parametrize(
    "path",
    [
        "/static/%2e%2e/app.py",
        "/static/..%2f..%2fapp.py",
        "/static/%2fetc%2fpasswd",
        "/static//etc/passwd",
        "/static/..%5capp.py",
        "/api/articles/..%2f..%2fetc%2fpasswd",
    ],
)
def test_no_address_leads_out_of_a_folder(api: Api, path: str) -> None:
    answer = api.ask("GET", path)
    assert answer.status_code in (404, 422)
    assert "root:" not in answer.text


def test_a_job_to_crawl_a_source(api: Api) -> None:
    api.watch("harbour")
    sent = api.ask("POST", "/api/crawl", json={"source": "harbour"}).json()
    assert (sent["kind"], sent["state"]) == ("crawl", "waiting")
    assert api.ask("POST", "/api/crawl", json={"source": "nobody"}).status_code == 404


def test_consumers_keep_their_place(shelf: Api) -> None:
    assert shelf.ask("PUT", "/api/consumers/mart", json={"seq": 0}).status_code == 204
    told = shelf.get("/api/consumers/mart/changes", limit=2)
    assert ([one["kind"] for one in told["changes"]], told["next"]) == (["created", "created"], 2)
    shelf.ask("PUT", "/api/consumers/mart", json={"seq": told["next"]})
    assert [one["kind"] for one in shelf.get("/api/consumers/mart/changes")["changes"]] == ["updated"]
    assert {one["name"]: one["lag"] for one in shelf.get("/api/consumers")["consumers"]} == {"mart": 1, "search": 0}
    assert shelf.ask("PUT", "/api/consumers/mart", json={"seq": 99}).status_code == 422


def test_long_polling_waits_for_news(shelf: Api) -> None:
    async def both() -> Any:
        headers = {"Authorization": f"Bearer {SECRET}"}
        transport = httpx.ASGITransport(shelf.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://desk.example", headers=headers) as client:
            waiting = asyncio.create_task(client.get("/api/changes", params={"since": 3, "wait_s": 20}))
            page = PAGE.format(
                title="Snow closes the pass",
                day=12,
                text=SNOW,
            )
            await asyncio.to_thread(shelf.ingest, "https://hills.example/snow", page)
            await asyncio.to_thread(shelf.work)
            return (await waiting).json()

    told = asyncio.run(both())
    assert [(one["seq"], one["kind"]) for one in told["changes"]] == [(4, "created")]
    assert shelf.get("/api/changes", since=4, wait_s=0)["changes"] == []


def test_a_stream_of_events_goes_on_where_it_was_cut(shelf: Api) -> None:
    lines: list[str] = []

    async def listen(last: str) -> None:
        """A client of the ASGI protocol that leaves after two events; httpx would wait for the stream's end."""
        headers = [(b"authorization", f"Bearer {SECRET}".encode()), (b"last-event-id", last.encode())]
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/api/changes/stream",
            "query_string": b"",
            "headers": headers,
        }
        scope |= {"http_version": "1.1", "scheme": "http", "server": ("desk.example", 80), "root_path": ""}
        gone = asyncio.Event()

        async def receive() -> dict[str, str]:
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            lines.extend(message.get("body", b"").decode().splitlines())
            if sum(line.startswith("data: ") for line in lines) >= 2:
                gone.set()

        await asyncio.wait_for(shelf.app(scope, receive, send), 20)  # type: ignore[arg-type]

    asyncio.run(listen("1"))
    assert [line for line in lines if line.startswith("id: ")] == ["id: 2", "id: 3"]
    assert [json.loads(line[6:])["kind"] for line in lines if line.startswith("data: ")] == ["created", "updated"]


def test_no_request_that_the_description_allows_breaks_the_server(shelf: Api) -> None:
    description = shelf.ask("GET", "/api/openapi.json").json()
    description["paths"] = {path: told for path, told in description["paths"].items() if "stream" not in path}
    schema = schemathesis.openapi.from_dict(description)
    broken: list[str] = []
    asked: set[tuple[str, int]] = set()
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()

        @settings(
            max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck), derandomize=True
        )
        @given(operation.as_strategy())
        def call(case: Any) -> None:
            request = case.as_transport_kwargs(base_url="http://desk.example")
            kept = {name: request[name] for name in ("params", "json", "files", "data") if request.get(name)}
            kept.get("params", {}).pop("wait_s", None)
            answer = shelf.ask(request["method"], request["url"], **kept)
            asked.add((request["method"], answer.status_code))
            if answer.status_code >= 500:
                broken.append(f"{request['method']} {request['url']} {kept}: {answer.text[:200]}")

        call()
    assert broken == []
    assert {("GET", 200), ("POST", 202), ("PUT", 204)} <= asked, "they were real requests"


def test_the_description_is_of_openapi_3_1_and_says_its_version(api: Api) -> None:
    told = api.ask("GET", "/api/openapi.json").json()
    assert (told["openapi"].startswith("3.1"), told["info"]["version"]) == (True, "1.0")


def test_metrics_are_what_prometheus_reads(shelf: Api) -> None:
    text = shelf.ask("GET", "/metrics").text
    assert 'copydesk_pages_this_hour{outcome="article"} 2.0' in text
    assert "copydesk_last_change 3.0" in text
    assert 'copydesk_consumer_lag{consumer="search"} 0.0' in text
    assert "copydesk_broker_up 0.0" in text


def test_it_is_not_ready_while_pages_wait_and_none_is_done(api: Api) -> None:
    api.ingest("https://harbour.example/ferry", PAGE.format(title="Ferry", day=10, text=TEXT))
    assert api.get("/readyz") == {"status": "ok"}
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=11)):
        answer = api.ask("GET", "/readyz")
    assert (answer.status_code, answer.json()["reason"][:27]) == (503, "pages wait to be processed ")
