"""Commands that read a stored page once more: recipe, reprocess, show --why; and ingest of an article in parts."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from storage import snapshots
from storage.settings import load_settings
from storage.store import open_store

Cli = Callable[..., Result]

URL = "https://harbour.example/ferry"
PARAGRAPHS = (
    "The ferry is running again after eleven days in the dock, the port office said on Monday morning.",
    "Engineers replaced a bearing in the starboard shaft, which had cracked in the fog of the week before.",
    "The first crossing left at seven with nine passengers, a dog and a crate of seed potatoes for the school.",
)
RECIPES = '[harbour]\nsite = "harbour.example"\ntitle = "h2.real"\nauthors = ".pen"\n'


def html(*paragraphs: str, links: str = "") -> str:
    body = "".join(f"<p>{one}</p>" for one in paragraphs or PARAGRAPHS)
    return (
        f'<!doctype html><html lang="en"><head><title>Ferry returns | Gazette</title>{links}'
        '<meta property="og:type" content="article"><meta property="og:title" content="Boat is back"></head>'
        '<body><main><article><h1>Ferry returns</h1><h2 class="real">Ferry returns, at last</h2>'
        f'<div class="pen">Ada Quill</div>{body}</article></main></body></html>'
    )


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    file = tmp_path / "saved.html"
    file.write_text(html(), "utf-8")
    return file


@pytest.fixture
def recipes(tmp_path: Path) -> Path:
    file = tmp_path / "recipes.toml"
    file.write_text(RECIPES, "utf-8")
    return file


class Site(BaseHTTPRequestHandler):
    """A site with one story on two pages."""

    def do_GET(self) -> None:
        pages = {
            "/boat": html(*PARAGRAPHS[:2], links='<link rel="next" href="/boat?page=2">'),
            "/boat?page=2": html(PARAGRAPHS[2], "This is page two.", links='<link rel="prev" href="/boat">'),
        }
        body = pages.get(self.path, "").encode()
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - likewise
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    """Its address, `127.0.0.1:port`."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def told(result: Result) -> Any:
    return json.loads(result.stdout)


def test_recipe_test_shows_both_readings(cli: Cli, saved: Path, recipes: Path) -> None:
    fields = told(cli("recipe", "test", str(recipes), str(saved), "--url", URL, "--json"))["fields"]
    assert (fields["title"]["found"], fields["title"]["otherwise"]) == ("Ferry returns, at last", "Ferry returns")
    assert (fields["authors"]["found"], fields["authors"]["source"]) == (["Ada Quill"], "recipe:authors")
    shown = cli("recipe", "test", str(recipes), str(saved)).stdout
    assert "Ferry returns, at last" in shown
    assert "without it" in shown
    assert not (saved.parent / "copydesk-data").exists()


def test_recipe_test_fails_where_selectors_find_nothing(cli: Cli, saved: Path, recipes: Path) -> None:
    recipes.write_text('[harbour]\ntitle = "h6"\n')
    result = cli("recipe", "test", str(recipes), str(saved), exit_code=1)
    assert "title: nothing usable at h6" in result.stderr


def test_recipe_test_says_what_is_wrong(cli: Cli, saved: Path, recipes: Path) -> None:
    two = RECIPES + '[valley]\nsite = "valley.example"\nbody = "p"\n'
    recipes.write_text(two)
    assert "--name takes one of: harbour, valley" in cli("recipe", "test", str(recipes), str(saved), exit_code=2).stderr
    cli("recipe", "test", str(recipes), str(saved), "--name", "harbour")
    recipes.write_text('[harbour]\nbody = "p["\n')
    assert "recipes.toml: harbour.body: 'p['" in cli("recipe", "test", str(recipes), str(saved), exit_code=2).stderr
    recipes.write_text("[harbour]\nbody = 'p'\nvalid_until = 2020-01-01\n")
    assert "no layout for that day" in cli("recipe", "test", str(recipes), str(saved), exit_code=2).stderr
    cli("recipe", "test", str(recipes), str(saved), "--on", "2019-05-01")
    cli("recipe", "test", str(recipes), "missing.html", exit_code=1)
    saved.write_text("<p>nothing")
    assert "no article" in cli("recipe", "test", str(recipes), str(saved), "--on", "2019-05-01", exit_code=1).stderr


def test_why_names_the_candidates_that_lost(cli: Cli, saved: Path) -> None:
    cli("ingest", "--url", URL, str(saved))
    record = told(cli("show", "1", "--why", "--json"))
    why = record["why"]["title"]
    assert why["winner"] == record["provenance"]["title"]
    lost = {one["source"]: one for one in why["lost"]}
    assert lost["meta:og:title"]["value"] == "Boat is back"
    assert all(set(one) == {"value", "source", "raw", "confidence"} for one in why["lost"])
    assert why["winner"]["source"] not in lost
    shown = cli("show", "1", "--why").stdout.splitlines()
    [chosen] = [line for line in shown if line.startswith("title ")]
    assert "chosen" in chosen
    assert "Boat is back" in shown[shown.index(chosen) + 1 :][0] + shown[shown.index(chosen) + 2]
    assert "why" not in told(cli("show", "1", "--json"))


def test_why_of_a_version_speaks_of_its_own_bytes(cli: Cli, saved: Path) -> None:
    cli("ingest", "--url", URL, str(saved))
    saved.write_text("<html><title>Gone</title><h1>Page not found</h1></html>")
    cli("ingest", "--url", URL, str(saved))
    assert "Boat is back" in cli("show", "1", "--why").stdout


def test_reprocess_tells_first_and_then_does(cli: Cli, saved: Path, recipes: Path) -> None:
    cli("ingest", "--url", URL, str(saved))
    assert "1 come out as they are" in cli("reprocess").stdout
    using = ("--set", f"recipes={recipes}", "reprocess")

    dry = told(cli(*using, "--dry-run", "--json"))
    assert (dry["dry_run"], dry["read"], dry["changed"]) == (True, 1, 1)
    [example] = dry["fields"]["title"]["examples"]
    assert (example["old"], example["new"]) == ("Ferry returns", "Ferry returns, at last")
    assert "would change" in cli(*using, "--dry-run", "--since", "2020-01-01", "--source", "manual").stdout
    assert told(cli("show", "1", "--json"))["version"] == 1

    shown = cli(*using).stdout
    assert "1 articles read anew: 1 changed" in shown
    assert "Ferry returns, at last" in shown
    record = told(cli("show", "1", "--json"))
    assert (record["version"], record["change_class"], record["title"]) == (2, "reprocessed", "Ferry returns, at last")
    assert told(cli(*using, "--json"))["changed"] == 0
    cli("audit")


def test_reprocess_of_damaged_bytes_ends_with_one(cli: Cli, saved: Path, tmp_path: Path) -> None:
    cli("ingest", "--url", URL, str(saved))
    store = open_store(load_settings({"data": tmp_path / "copydesk-data"}, {}, tmp_path / "none"))
    snapshots.pack(store, datetime.now(UTC), most_bytes=1, after=timedelta())
    store.close()
    for file in (tmp_path / "copydesk-data" / "archive").rglob("*.warc*"):
        file.write_bytes(b"x" * file.stat().st_size)
    assert f"article 1 ({URL}): ArchiveDamaged" in cli("reprocess", exit_code=1).stderr
    assert "what else the page says cannot be read" in cli("show", "1", "--why").stderr


def test_reprocess_of_a_source_that_nobody_knows(cli: Cli, saved: Path) -> None:
    cli("ingest", str(saved))
    cli("reprocess", "--source", "nobody", exit_code=1)


def test_an_article_in_parts_that_are_ingested_is_one(cli: Cli, tmp_path: Path) -> None:
    lines = []
    for number, paragraph in enumerate(PARAGRAPHS, start=1):
        links = f'<link rel="next" href="{URL}?page={number + 1}">' if number < len(PARAGRAPHS) else ""
        before = URL if number == 2 else f"{URL}?page={number - 1}"
        links += f'<link rel="prev" href="{before}">' if number > 1 else ""
        own = URL if number == 1 else f"{URL}?page={number}"
        page = html(paragraph, f"So says page {number} of the three pages of this story of a boat.", links=links)
        lines.append(json.dumps({"url": own, "html": page}))
    (tmp_path / "parts.jsonl").write_text("\n".join(lines), "utf-8")

    rows = [json.loads(line) for line in cli("ingest", "parts.jsonl", "--json").stdout.splitlines()]

    assert [row["outcome"] for row in rows] == ["new article", "part", "part"]
    [record] = [json.loads(line) for line in cli("articles", "--json").stdout.splitlines()]
    assert record["access"] == "free"
    assert [record["text"].index(one) for one in PARAGRAPHS] == sorted(record["text"].index(one) for one in PARAGRAPHS)
    cli("audit")


def test_an_article_in_parts_that_are_crawled_is_one(cli: Cli, site: str) -> None:
    near = ("--set", f"allow_addresses={site}", "--set", "delay_s=0")
    run = told(cli(*near, "crawl", f"http://{site}/boat", "--json"))
    assert {one["reason"]: one["count"] for one in run["pages"]} == {"new_story": 1, "part_of_article": 1}
    [record] = [json.loads(line) for line in cli("articles", "--json").stdout.splitlines()]
    assert (record["url"], record["version"], record["access"]) == (f"http://{site}/boat", 1, "free")
    assert all(one in record["text"] for one in PARAGRAPHS)
    cli("audit")


def test_recipe_test_fetches_a_page_of_the_web(cli: Cli, site: str, recipes: Path, tmp_path: Path) -> None:
    near = ("--set", f"allow_addresses={site}", "--set", "delay_s=0")
    fields = told(cli(*near, "recipe", "test", str(recipes), f"http://{site}/boat", "--json"))["fields"]
    assert fields["authors"]["found"] == ["Ada Quill"]
    missing = cli(*near, "recipe", "test", str(recipes), f"http://{site}/none", exit_code=1)
    assert "could not be had: http_404" in missing.stderr
    assert not (tmp_path / "copydesk-data").exists()
