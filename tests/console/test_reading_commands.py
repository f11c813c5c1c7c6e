"""The commands that answer questions: articles, show, explain, changes, export, status, audit, quarantine."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from storage import pages, quarantine, sites
from storage.records import Disposition
from storage.settings import load_settings
from storage.store import Store, open_store
from tasks.heartbeat import beat

Cli = Callable[..., Result]
Rows = Callable[..., list[Any]]

URL = "https://harbour.example/ferry"
TYPED = "https://harbour.example/ferry?utm_source=feed#top"


@pytest.fixture
def filled(cli: Cli, seed: Path) -> None:
    """A store with one article."""
    cli("ingest", "--url", URL, str(seed))


@pytest.fixture
def store(filled: None, tmp_path: Path) -> Iterator[Store]:
    """That store, open."""
    opened = open_store(load_settings({"data": tmp_path / "copydesk-data"}, {}, tmp_path / "none"))
    yield opened
    opened.close()


@pytest.fixture
def sick(store: Store) -> int:
    """The page of that store, in quarantine."""
    store.write(
        lambda tx: quarantine.put(tx, 1, stage="process", error="ValueError: no", attempts=4, now=datetime.now(UTC))
    )
    return 1


def one_json(result: Result) -> Any:
    return json.loads(result.stdout)


@pytest.mark.usefixtures("filled")
def test_articles(cli: Cli, rows: Rows) -> None:
    [article] = rows("articles", "--source", "manual")
    assert (article["id"], article["url"], article["schema"]) == (1, URL, 1)
    assert rows("articles", "--source", "nobody") == []
    assert rows("articles", "--after", "1") == []
    assert "Ferry strike ends" in cli("articles").stdout


def test_an_empty_store_says_what_to_do(cli: Cli) -> None:
    cli("migrate")
    assert "copydesk ingest" in cli("articles").stdout


@pytest.mark.usefixtures("filled")
def test_show_by_id_and_by_any_form_of_its_address(cli: Cli) -> None:
    whole = one_json(cli("show", "1", "--json"))
    assert one_json(cli("show", TYPED, "--json")) == whole
    assert "versions" not in whole
    assert [one["version"] for one in one_json(cli("show", "1", "--versions", "--json"))["versions"]] == [1]
    assert "text:first-line" in cli("show", "1", "--why").stdout
    assert cli("show", "1", "--text").stdout.startswith("The harbour's ferry crews")
    assert "version 1 (first)" in cli("show", "1").stdout
    assert "first" in cli("show", "1", "--versions").stdout


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("which", ["2", "https://harbour.example/unseen"])
def test_show_of_nothing(cli: Cli, which: str) -> None:
    assert cli("show", which, exit_code=1).stderr.startswith("copydesk: no article")


@pytest.mark.usefixtures("filled")
def test_explain_tells_everything(cli: Cli) -> None:
    told = one_json(cli("explain", TYPED, "--json"))
    assert told["key"] == URL
    assert (told["page"]["state"], told["page"]["disposition"]) == ("done", "article")
    assert [(one["source"], one["via"]) for one in told["sightings"]] == [("manual", "manual")]
    assert [one["status"] for one in told["snapshots"]] == [200]
    assert (told["article"]["id"], [one["kind"] for one in told["changes"]]) == (1, ["created"])
    assert told["site"]["key"] == "harbour.example"
    shown = cli("explain", TYPED).stdout
    assert "article: new_story" in shown


@pytest.mark.usefixtures("filled")
def test_explain_of_an_address_that_nobody_saw(cli: Cli) -> None:
    assert "no page of this address" in cli("explain", "https://x.example/", exit_code=1).stdout
    assert one_json(cli("explain", "no address", "--json", exit_code=1))["page"] is None


@pytest.mark.usefixtures("filled")
def test_changes_from_a_cursor(cli: Cli, rows: Rows, seed: Path) -> None:
    [first] = rows("changes")
    assert {name: first[name] for name in ("seq", "kind", "article_id", "version")} == {
        "seq": 1, "kind": "created", "article_id": 1, "version": 1,
    }  # fmt: skip
    seed.write_text(seed.read_text("utf-8").replace("two hundred", "three hundred"), "utf-8")
    cli("ingest", "--url", URL, str(seed))
    assert [row["kind"] for row in rows("changes", "--since", "1")] == ["updated"]
    assert "updated" in cli("changes").stdout


@pytest.mark.usefixtures("filled")
def test_export_is_whole_or_not_there(cli: Cli, rows: Rows, tmp_path: Path) -> None:
    cli("export", "jsonl", "out.jsonl")
    assert [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()] == rows("articles")
    assert json.loads(cli("export", "jsonl", "-").stdout)["id"] == 1
    assert "seed.txt" in cli("export", "jsonl", "seed.txt/out.jsonl", exit_code=1).stderr
    assert sorted(file.name for file in tmp_path.iterdir()) == ["copydesk-data", "out.jsonl", "seed.txt"]


@pytest.mark.usefixtures("filled")
def test_status(cli: Cli) -> None:
    told = one_json(cli("status", "--json"))
    assert told["pages"] == [{"state": "done", "disposition": "article", "reason": "new_story", "count": 1}]
    assert (told["articles"], told["versions"], told["hot_bodies"], told["last_change"]) == (1, 1, 1, 1)
    assert told["sources"] == {"sources": 0, "paused": 0, "due": 0, "failing": 0}
    assert "new_story" in cli("status").stdout
    assert (told["events"], told["open_events"]) == ({}, [])


@pytest.mark.usefixtures("filled")
def test_the_check_wants_a_scheduler_that_lives(cli: Cli, tmp_path: Path) -> None:
    settings = load_settings({"data": tmp_path / "copydesk-data"}, {}, tmp_path / "none")
    assert "no scheduler has run" in cli("status", "--check", exit_code=1).stderr
    beat(settings, datetime.now(UTC) - timedelta(minutes=5))
    assert "no sign of life for 30" in cli("status", "--check", exit_code=1).stderr
    beat(settings, datetime.now(UTC))
    assert cli("status", "--check").stdout == "ok\n"
    assert one_json(cli("status", "--check", "--json")) == {"ok": True, "faults": []}


def test_the_check_wants_a_database(cli: Cli) -> None:
    told = cli("--database", "postgresql://desk@127.0.0.1:9/news", "status", "--check", exit_code=1).stderr
    assert "127.0.0.1" in told


@pytest.mark.usefixtures("filled")
def test_audit_proves_the_balance(cli: Cli) -> None:
    assert "1 pages discovered = 1 articles + 0 duplicates" in cli("audit").stdout
    told = one_json(cli("audit", "--json"))
    assert (told["balanced"], told["faults"]) == (True, [])


def test_audit_fails_where_the_books_are_wrong(cli: Cli, store: Store) -> None:
    store.write(lambda tx: pages.finish(tx, 1, Disposition.QUARANTINED, "process", datetime.now(UTC)))
    told = cli("audit", exit_code=1).stdout
    assert "quarantined, but its error is not kept" in told
    assert one_json(cli("audit", "--json", exit_code=1))["faults"]


def test_quarantine_is_listed_shown_and_retried(cli: Cli, rows: Rows, sick: int) -> None:
    [row] = rows("quarantine", "list")
    assert (row["page_id"], row["stage"], row["attempts"], row["url"]) == (sick, "process", 4, URL)
    assert "ValueError: no" in cli("quarantine", "list").stdout
    assert one_json(cli("quarantine", "show", "1", "--json")) == row
    cli("quarantine", "retry", "1")
    assert rows("quarantine", "list") == []
    assert one_json(cli("explain", URL, "--json"))["page"]["state"] == "fetched"
    assert "not in quarantine" in cli("quarantine", "retry", "1", exit_code=1).stderr


@pytest.mark.usefixtures("sick")
def test_quarantine_is_dropped(cli: Cli) -> None:
    cli("quarantine", "drop", exit_code=2)
    cli("quarantine", "drop", "--all")
    page = one_json(cli("explain", URL, "--json"))["page"]
    assert (page["disposition"], page["reason"]) == ("rejected", "dropped_by_hand")
    assert "nothing is in quarantine" in cli("quarantine", "list").stdout


def test_withdraw_takes_the_text_out_and_leaves_a_tombstone(cli: Cli, rows: Rows, store: Store) -> None:
    done = one_json(cli("withdraw", TYPED, "--reason", "court order", "--yes", "--json"))
    assert (done["article"], done["versions"], done["bodies"]) == (1, 1, 1)
    assert rows("articles") == []
    shown = one_json(cli("show", "1", "--json"))
    assert "Ferry" not in json.dumps(shown)
    assert [row["kind"] for row in rows("changes")] == ["created", "withdrawn"]
    assert "0 faults" in cli("audit").stdout


@pytest.mark.usefixtures("filled")
def test_withdraw_asks_first_and_wants_a_reason(cli: Cli, rows: Rows) -> None:
    assert "for good" in cli("withdraw", URL, "--reason", "why not", stdin="n\n", exit_code=1).output
    assert len(rows("articles")) == 1
    cli("withdraw", URL, "--yes", exit_code=2)
    assert "begin with gone_" in cli("withdraw", URL, "--reason", "gone_x", "--yes", exit_code=2).output
    assert "nothing was ever read" in cli("withdraw", f"{URL}/2", "--reason", "x", "--yes", exit_code=1).stderr


def test_withdraw_can_keep_the_text(cli: Cli, rows: Rows, store: Store) -> None:
    assert one_json(cli("withdraw", URL, "--reason", "a mistake", "--keep-text", "--json"))["hidden"]
    assert rows("articles") == []
    assert "Ferry" in cli("show", "1").stdout


def test_a_trigger_says_that_a_site_rests_and_explain_says_why(cli: Cli, store: Store) -> None:
    cli("sources", "add", "https://harbour.example/feed.xml", "--name", "harbour")
    until = datetime(2126, 3, 10, tzinfo=UTC)
    store.write(lambda tx: sites.block(tx, "harbour.example", until, 1, "retry_after"))
    said = cli("trigger", "harbour").stdout
    assert "harbour is due now but harbour.example asked to be left alone (Retry-After)" in said
    assert "before 2126-03-10 00:00:00 UTC" in said
    assert "(retry_after)" in cli("explain", URL).stdout
