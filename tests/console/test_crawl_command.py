"""`copydesk crawl` and `copydesk demo` by the real path: the invented newsroom, a crawl process, the pipeline."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from console.demo.newsroom import Newsroom

Cli = Callable[..., Result]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def newsroom() -> Iterator[Newsroom]:
    with Newsroom() as running:
        yield running


@pytest.fixture
def desk(cli: Cli, newsroom: Newsroom) -> Cli:
    """The program with the exceptions and the pace that the newsroom needs."""
    options = ("--set", f"allow_addresses={','.join(newsroom.allow_addresses)}", "--set", "delay_s=0.02")
    return lambda *words, **expected: cli(*options, *words, **expected)


def one_json(result: Result) -> Any:
    return json.loads(result.stdout)


def test_one_source_by_name_then_one_page_by_address(desk: Cli, newsroom: Newsroom) -> None:
    atom = next(one for one in newsroom.sources if one.name == "valley-atom")
    other = next(one for one in newsroom.sources if one.name == "coast-json")
    desk("sources", "add", atom.url, "--name", "atom")
    desk("sources", "add", other.url, "--name", "other")
    told = one_json(desk("crawl", "atom", "--wait", "0", "--json"))
    assert told["polls"] == 1
    assert {row["disposition"] for row in told["pages"]} >= {"article", "rejected"}
    assert sum(row["count"] for row in told["pages"]) > 10
    asked = {one.site for one in newsroom.requests if one.path != "/robots.txt"}
    assert "harbour" not in asked

    page = next(url for url in newsroom.truth.articles if url.startswith(newsroom.sites["harbour"].base))
    told = one_json(desk("crawl", page, "--wait", "0", "--json"))
    assert [(row["disposition"], row["count"]) for row in told["pages"]] == [("article", 1)]
    [row] = [json.loads(line) for line in desk("ingest", page, "--json").stdout.splitlines()]
    assert (row["outcome"], row["title"]) == ("article", newsroom.truth.titles[page])
    assert "unchanged" in desk("explain", page).stdout


def test_a_failed_poll_is_shown_and_counts(desk: Cli, newsroom: Newsroom) -> None:
    desk("sources", "add", newsroom.sites["valley"].url("/feeds/no-such.xml"), "--name", "gone", "--kind", "feed")
    told = desk("crawl", "--wait", "0", exit_code=1).stdout
    assert "http_404" in told
    assert "gone" in told


def test_a_name_that_is_no_source(desk: Cli) -> None:
    desk("migrate")
    assert "no source is called 'x'" in desk("crawl", "x", exit_code=1).stderr


def test_a_paused_source_is_not_crawled(desk: Cli) -> None:
    desk("sources", "add", "https://harbour.example/feed", "--name", "h")
    desk("sources", "pause", "h")
    assert "h is paused" in desk("crawl", "h", exit_code=2).stderr


def test_nothing_due_is_no_failure(desk: Cli) -> None:
    desk("migrate")
    assert "0 sources polled, 0 pages fetched" in desk("crawl").stdout


def demo(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "console.cli", "demo", *words]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COPYDESK_DATABASE": "postgresql://nobody@127.0.0.1:9/none"}
    return subprocess.run(
        command, cwd=folder, env=environment, text=True, capture_output=True, check=False, timeout=100
    )


def test_the_demo_is_as_expected(tmp_path: Path) -> None:
    done = demo(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "As expected: 69 of 69 articles" in done.stdout
    assert "0 quarantined + 0 pending; 0 faults" in done.stdout
    assert done.stderr == ""
    assert [one.name for one in tmp_path.iterdir()] == ["copydesk-demo"]


def test_a_demo_replaces_only_an_earlier_demo(tmp_path: Path) -> None:
    (tmp_path / "copydesk-demo").mkdir()
    (tmp_path / "copydesk-demo" / "thesis.txt").write_text("years of work")
    done = demo(tmp_path)
    assert done.returncode == 2
    assert "was not made by a demo" in done.stderr
    assert (tmp_path / "copydesk-demo" / "thesis.txt").exists()
