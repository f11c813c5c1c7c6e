"""`copydesk sources`, `trigger`, `migrate` and `settings`: what an operator sets."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from storage.settings import describe, load_settings

Cli = Callable[..., Result]
Rows = Callable[..., list[Any]]

FEED = "https://harbour.example/feed.xml"


def test_add_and_list(cli: Cli, rows: Rows) -> None:
    assert "harbour.example-feed.xml" in cli("sources", "add", FEED, "--every", "5m", "--exclude", "/sport/").stdout
    [one] = rows("sources", "list")
    assert (one["name"], one["url"], one["every_s"]) == ("harbour.example-feed.xml", FEED, 300)
    assert (one["exclude"], one["site"], one["paused"], one["etag"]) == (["/sport/"], "harbour.example", False, None)
    assert FEED in cli("sources", "list").stdout


def test_every_source_has_the_same_keys(cli: Cli, rows: Rows) -> None:
    cli("sources", "add", FEED)
    cli("sources", "add", "https://valley.example/", "--kind", "section", "--cron", "0 7 * * *", "--language", "de")
    first, second = rows("sources", "list")
    assert first.keys() == second.keys()


def test_a_taken_name_is_refused_unless_replaced(cli: Cli, rows: Rows) -> None:
    cli("sources", "add", FEED, "--name", "h")
    assert "exists already" in cli("sources", "add", FEED, "--name", "h", exit_code=2).stderr
    cli("sources", "add", "https://harbour.example/atom", "--name", "h", "--replace")
    assert [one["url"] for one in rows("sources", "list")] == ["https://harbour.example/atom"]


@pytest.mark.parametrize("words", [("ftp://x.example/",), (FEED, "--cron", "x"), (FEED, "--every", "never")])
def test_a_bad_source_is_wrong_usage(cli: Cli, tmp_path: Path, words: tuple[str, ...]) -> None:
    cli("sources", "add", *words, exit_code=2)
    assert not (tmp_path / "copydesk-data").exists()


def test_pause_resume_remove(cli: Cli, rows: Rows) -> None:
    cli("sources", "add", FEED, "--name", "h")
    cli("sources", "pause", "h")
    assert rows("sources", "list")[0]["paused"] is True
    assert "paused" in cli("trigger", "h").stdout
    cli("sources", "resume", "h")
    assert rows("sources", "list")[0]["paused"] is False
    cli("sources", "remove", "h")
    assert rows("sources", "list") == []


def test_of_several_names_all_or_none_is_paused(cli: Cli, rows: Rows) -> None:
    cli("sources", "add", FEED, "--name", "h")
    assert "no source is called 'x'" in cli("sources", "pause", "h", "x", exit_code=1).stderr
    assert rows("sources", "list")[0]["paused"] is False


@pytest.mark.parametrize("verb", [("sources", "pause"), ("sources", "resume"), ("sources", "remove"), ("trigger",)])
def test_what_is_ingested_by_hand_is_not_polled(cli: Cli, seed: Path, verb: tuple[str, ...]) -> None:
    cli("ingest", str(seed))
    assert "ingested by hand" in cli(*verb, "manual", exit_code=1).stderr


def test_show(cli: Cli) -> None:
    cli("sources", "add", FEED, "--name", "h", "--publisher", "The Harbour")
    assert "The Harbour" in cli("sources", "show", "h").stdout
    assert json.loads(cli("sources", "show", "h", "--json").stdout)["polls"] == []
    cli("sources", "show", "nobody", exit_code=1)


def test_trigger_says_what_does_the_work(cli: Cli) -> None:
    cli("sources", "add", FEED, "--name", "h")
    told = cli("trigger", "h").stdout
    assert "h is due now" in told
    assert "copydesk crawl" in told


def test_import_takes_all_or_nothing(cli: Cli, rows: Rows, tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_text(f'[[source]]\nurl = "{FEED}"\n[[source]]\nurl = "nowhere"\n')
    told = cli("sources", "import", "s.toml", exit_code=2).stderr
    assert told.startswith("copydesk: s.toml: source 2: url: 'nowhere'")
    assert not (tmp_path / "copydesk-data").exists()
    result = cli("sources", "import", "s.toml", "--skip-bad", exit_code=1)
    assert "1 of 2 sources added" in result.stdout
    assert "skipped: s.toml: source 2" in result.stderr
    assert [one["url"] for one in rows("sources", "list")] == [FEED]


def test_import_of_a_taken_name_adds_nothing_of_that_file(cli: Cli, rows: Rows, tmp_path: Path) -> None:
    cli("sources", "add", FEED, "--name", "b")
    (tmp_path / "s.toml").write_text(f'[source.a]\nurl = "{FEED}"\n[source.b]\nurl = "{FEED}"\n')
    cli("sources", "import", "s.toml", exit_code=2)
    assert [one["name"] for one in rows("sources", "list")] == ["b"]
    cli("sources", "import", "s.toml", "--replace")
    assert [one["name"] for one in rows("sources", "list")] == ["a", "b"]


def test_import_of_opml(cli: Cli, rows: Rows, tmp_path: Path) -> None:
    (tmp_path / "s.opml").write_text(
        f'<opml><body><outline text="x"><outline xmlUrl="{FEED}"/></outline></body></opml>'
    )
    assert "1 of 1 sources added" in cli("sources", "import", "s.opml").stdout
    assert rows("sources", "list")[0]["url"] == FEED


def test_import_of_csv_and_the_same_file_again(cli: Cli, rows: Rows, tmp_path: Path) -> None:
    lines = [f"https://site{number}.example/feed,{number % 3}" for number in range(2500)]
    (tmp_path / "s.csv").write_text("\n".join(["url,priority", *lines]))
    assert "2500 of 2500 sources added" in cli("sources", "import", "s.csv").stdout
    assert len(rows("sources", "list")) == 2500
    assert "exists already" in cli("sources", "import", "s.csv", exit_code=2).stderr
    assert "2500 of 2500" in cli("sources", "import", "s.csv", "--replace").stdout
    assert len(rows("sources", "list")) == 2500


def test_import_of_100_000_rows_in_less_than_a_minute(cli: Cli, tmp_path: Path) -> None:
    count = 100_000
    lines = [f"source-{n},https://www.site{n // 2}.example/feed{n}.xml,feed,de" for n in range(count)]
    (tmp_path / "s.csv").write_text("\n".join(["name,url,kind,language", *lines]))
    began = time.monotonic()
    assert f"{count} of {count} sources added" in cli("sources", "import", "s.csv").stdout
    assert time.monotonic() - began < 60


def test_a_source_remembers_how_it_is_asked_but_no_secret(cli: Cli, rows: Rows) -> None:
    words = ("--header", "Accept-Language=de", "--cookie", "seen=yes", "--bearer", "TOKEN", "--keep", "archive=30")
    cli("sources", "add", FEED, *words, "--delay", "2", "--concurrency", "3", "--proxy", "http://proxy.example:3128")
    [one] = rows("sources", "list")
    assert (one["headers"], one["cookies"], one["bearer"]) == (["Accept-Language"], ["seen"], "TOKEN")
    assert (one["retention"], one["delay_s"], one["concurrency"]) == ({"archive": 30}, 2.0, 3)
    assert one["render"] is False
    cli("sources", "add", "https://app.example/", "--render", "--name", "app")
    assert "render yes" in " ".join(cli("sources", "show", "app").stdout.split())
    assert "is not NAME=VALUE" in cli("sources", "add", FEED, "--header", "x", exit_code=2).stderr
    assert "retention: archive" in cli("sources", "add", FEED, "--keep", "archive=x", exit_code=2).stderr


def test_settings_lists_each_with_its_origin_and_meaning(
    cli: Cli, rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "copydesk.toml").write_text("timeout_s = 12\n")
    monkeypatch.setenv("COPYDESK_DELAY_S", "2.5")
    found = {row["name"]: row for row in rows("--set", "batch=7", "settings")}
    assert {name: row["meaning"] for name, row in found.items()} == describe()
    assert (found["timeout_s"]["value"], found["timeout_s"]["origin"]) == (12.0, "copydesk.toml")
    assert (found["delay_s"]["value"], found["delay_s"]["origin"]) == (2.5, "environment")
    assert (found["batch"]["value"], found["batch"]["origin"]) == (7, "option")
    assert found["max_bytes"]["value"] == load_settings({}, {}, tmp_path / "none").max_bytes
    assert "timeout_s" in cli("settings").stdout


def test_settings_hide_passwords(cli: Cli) -> None:
    told = cli("--database", "postgresql://desk:s3cret@db/news", "settings").stdout
    assert "s3cret" not in told
    assert "postgresql://desk:***@db/news" in told


def test_migrate_makes_the_schema_and_then_has_nothing_to_do(cli: Cli, rows: Rows) -> None:
    assert "made from nothing" in cli("migrate").stdout
    assert "already" in cli("migrate").stdout
    assert rows("sources", "list") == []
