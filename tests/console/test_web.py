"""The HTTP door on a real store."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import Result
from fastapi import FastAPI

from console.web import create_app
from storage.settings import load_settings
from storage.store import open_store


class Client:
    """Asks the application without a socket. (Starlette's own test client wants a library that we do not have.)"""

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    def get(self, path: str, params: dict[str, int | str] | None = None) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                return await client.get(path, params=params)

        return asyncio.run(ask())


@pytest.fixture
def client(cli: Callable[..., Result], seed: Path, tmp_path: Path) -> Iterator[Client]:
    cli("ingest", "--url", "https://harbour.example/ferry", str(seed))
    store = open_store(load_settings({"data": tmp_path / "copydesk-data"}, {}, tmp_path / "none"))
    yield Client(create_app(store))
    store.close()


def test_health(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ok"}


def test_not_ready_without_its_database(tmp_path: Path) -> None:
    store = open_store(load_settings({"data": tmp_path / "data"}, {}, tmp_path / "none"))
    store.close()
    (tmp_path / "data" / "copydesk.db").unlink()
    (tmp_path / "data" / "copydesk.db").mkdir()
    answer = Client(create_app(store)).get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")


def test_articles(client: Client) -> None:
    page = client.get("/api/articles", params={"limit": 1}).json()
    assert [one["url"] for one in page["articles"]] == ["https://harbour.example/ferry"]
    assert client.get("/api/articles", params={"after": page["next"]}).json() == {"articles": [], "next": None}
    assert client.get("/api/articles", params={"source": "nobody"}).json()["articles"] == []
    assert client.get("/api/articles/1").json() == page["articles"][0]


def test_an_article_that_is_not_there(client: Client) -> None:
    answer = client.get("/api/articles/7")
    assert answer.headers["content-type"] == "application/problem+json"
    told = {"type": "about:blank", "title": "Not Found", "status": 404, "detail": "no article has id 7"}
    assert (answer.status_code, answer.json()) == (404, told)


@pytest.mark.parametrize("path", ["/api/articles?limit=0", "/api/articles?limit=1001", "/api/changes?since=-1"])
def test_limits_are_kept(client: Client, path: str) -> None:
    assert client.get(path).status_code == 422


def test_changes(client: Client) -> None:
    told = client.get("/api/changes", params={"since": 0}).json()
    assert ([one["kind"] for one in told["changes"]], told["next"]) == (["created"], 1)
    assert client.get("/api/changes", params={"since": 1}).json() == {"changes": [], "next": 1}
