"""Sources with names that sound like pages, and a probe that does not come to an end."""

import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import FastAPI

from console.web import create_app
from storage import sites
from storage.settings import Settings, load_settings
from storage.store import Store, open_store


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def opened(tmp_path: Any) -> Iterator[Callable[[Settings], tuple[FastAPI, Store]]]:
    stores: list[Store] = []

    def made(settings: Settings) -> tuple[FastAPI, Store]:
        stores.append(open_store(settings))
        return create_app(stores[-1], settings), stores[-1]

    yield made
    for store in stores:
        store.close()


@pytest.mark.parametrize("name", ["new", "edit", "probe", "a/edit", "x/crawl"])
def test_no_name_of_a_source_is_hidden_behind_a_page(browser: Any, name: str) -> None:
    browser.log_in()
    sent = browser.send("/source/new", entry=f'name = "{name}"\nurl = "https://coast.example/feed"')
    shown = browser.read(sent.headers["location"])
    assert f"<h1>{name}" in shown
    assert f"<h1>Edit {name}" in browser.read(f"/source/edit?name={name}")
    assert browser.send(f"{sent.headers['location']}/crawl").headers["location"].startswith("/jobs/")


def test_a_probe_that_takes_too_long_is_ended_and_gives_its_site_back(
    tmp_path: Any,
    silent: str,
    opened: Callable[..., tuple[FastAPI, Store]],
    browser: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("console.web.pages.sources.PROBE_S", 1.0)
    options = {"data": tmp_path, "allow_addresses": silent}
    settings = load_settings(options, environ={}, file=tmp_path / "none.toml")
    app, store = opened(settings)
    told = type(browser)(app, store, settings).log_in().send("/source/probe", url=f"http://{silent}/")
    assert told.status_code == 422
    assert "took more than 1 s, and was ended. In a shell" in told.text
    with store.reading() as tx:
        assert sites.stale_leases(tx, datetime(2100, 1, 1, tzinfo=UTC)) == []
