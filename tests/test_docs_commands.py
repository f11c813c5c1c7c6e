"""The keys of each command's JSON are those that docs/commands.md promises, no more and no fewer."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from console.cli import main
from console.commands.crawl import summary
from console.oneshot import Run
from console.questions import FailedPoll, Tally
from console.views import whole
from crawler.offer import Offer, Offered, Rules, Signal
from storage import pages, quarantine, sources
from storage.audit import Fault
from storage.records import Candidate, Event, Lead, Poll, Via
from storage.settings import load_settings
from storage.store import open_store
from tasks.reprocess import Failed

DOCS = Path(__file__).parent.parent / "docs"
NOW = datetime(2026, 3, 14, 9, 26, tzinfo=UTC)
PAGE = "https://harbour.example/2026/ferry-strike-ends"
CALLS = {
    "articles": "",
    "search": "ferry",
    "show": "1 --versions --why",
    "changes": "",
    "consumers list": "",
    "webhooks list": "",
    "tokens list": "",
    "sources list": "",
    "sources show": "harbour",
    "ingest": "docs/example.jsonl",
    "status": "",
    "status --check": "",
    "explain": PAGE,
    "quarantine list": "",
    "quarantine show": "",
    "audit": "",
    "prune": "--dry-run",
    "reprocess": "--dry-run",
    "recluster": "--dry-run",
    "recipe test": f"recipes.toml page.html --url {PAGE}",
    "backfill": "harbour --from 2026-01-01",
    "backup": "copy",
    "withdraw": "https://coast.example/story/115 --yes --reason asked",
    "settings": "",
}
"""What each command is called with; those that need the network are made of their records below."""
INSIDE = {
    ("sources show", "polls[]"): Poll,
    ("status", "open_events[]"): Event,
    ("audit", "faults[]"): Fault,
    ("reprocess", "failed[]"): Failed,
}
"""Lists that are empty here, with what would be in them."""
RECORD = set(json.loads((DOCS.parent / "storage" / "article.schema.json").read_text("utf-8"))["required"])


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[Any]]:
    """Calls the program on a store that has something of everything; gives the objects that it prints."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").symlink_to(DOCS)
    (tmp_path / "recipes.toml").write_text('[harbour]\nsite = "harbour.example"\ntitle = "h1"\n', "utf-8")
    text = "".join(
        f"<p>The crews of quay {n} went back to work on Tuesday, said the harbour master.</p>" for n in range(9)
    )
    (tmp_path / "page.html").write_text(
        f"<html><body><article><h1>Strike ends</h1>{text}</article></body></html>", "utf-8"
    )
    printed(["ingest", "docs/example.jsonl"])
    printed(["sources", "add", "https://harbour.example/feed", "--name", "harbour"])
    printed(["consumers", "add", "warehouse"])
    printed(["tokens", "add", "robot"])
    printed(["webhooks", "add", "mart", "https://mart.example/hook", "--secret-variable", "S"])
    page_id = stuck()

    def call(name: str) -> list[Any]:
        more = str(page_id) if name == "quarantine show" else CALLS[name]
        out = printed([*name.split(), *more.split(), "--json"])
        return [json.loads(out)] if out.startswith("{\n") else [json.loads(line) for line in out.splitlines()]

    return call


def printed(words: list[str]) -> str:
    result = CliRunner().invoke(main, words)
    assert result.exit_code == (1 if "--check" in words else 0), (words, result.output)
    return result.stdout


def stuck() -> int:
    """Put a page in quarantine; returns its id."""
    url = "https://harbour.example/odd"
    lead = Lead(key=url, site="harbour.example", candidate=Candidate(url=url, via=Via.FEED))
    with open_store(load_settings()) as store, store.writing() as tx:
        [page_id] = pages.discover(tx, sources.get(tx, "harbour").id, [lead], NOW).new
        quarantine.put(tx, page_id, stage="process", error="odd", attempts=4, now=NOW)
    return page_id


def table() -> dict[str, str]:
    """What the page says of each command's keys."""
    rows = re.findall(
        r"^\| `([^`]+)` \| (?:object|a line) \| (.+) \|$", (DOCS / "commands.md").read_text("utf-8"), re.MULTILINE
    )
    told = dict(rows)
    told["sources show"] = told["sources show"].replace("the same", told["sources list"])
    told["quarantine show"] = told["quarantine list"]
    return told


def flat(value: Any, path: str = "") -> Iterator[str]:
    """The paths of all values: `a.b`, `a[].b`; an empty list ends in `[]`, an empty object in `.*`."""
    if isinstance(value, dict):
        if not value:
            yield f"{path}.*"
        for key, one in value.items():
            yield from flat(one, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        objects = [one for one in value if isinstance(one, dict)]
        if not objects:
            yield f"{path}[]"
        for one in objects:
            yield from flat(one, f"{path}[]")
    else:
        yield path


def check(name: str, objects: list[Any], promise: str) -> None:
    assert objects, f"{name} printed nothing"
    plain = re.sub(r"\(.*?\)", "", promise)
    promised = set(re.findall(r"`([a-z_]+(?:\[\]|\.\*|\.[a-z_]+)*)`", plain))
    whole_record = RECORD if "*the record*" in promise else set()
    found = {path for one in objects for path in flat(one) if re.split(r"[.\[]", path)[0] not in whole_record}
    free = {one for one in promised if one.endswith((".*", "[]"))}
    assert {path for path in found - promised if not _within(path, free) and not _empty(path, promised)} == set(), (
        "not told of"
    )
    assert {
        one for one in promised - found if not any(_within(path, {one}) for path in found) and not _null(one, found)
    } == set()
    if whole_record:
        assert all(whole_record <= one.keys() for one in objects)


def _within(path: str, free: set[str]) -> bool:
    return any(path == one or path.startswith(one.removesuffix("*")) for one in free)


def _empty(path: str, promised: set[str]) -> bool:
    """Whether a list or an object is promised in parts, and has none here."""
    return any(one.startswith(f"{path.removesuffix('.*')}.") for one in promised)


def _null(promised: str, found: set[str]) -> bool:
    """Whether what it stands in is null or empty here."""
    parts = [promised[: mark.start()] for mark in re.finditer(r"\.", promised)]
    return any(part in found or f"{part}.*" in found for part in parts)


def test_each_command_with_json_is_in_the_table() -> None:
    told = {re.sub(r" --.*", "", name) for name in table()}
    assert told == {" ".join(path) for path in with_json(main, ())}


def with_json(group: click.Group, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        if isinstance(found, click.Group):
            yield from with_json(found, (*path, name))
        elif found and any("--json" in one.opts for one in found.params):
            yield (*path, name)


def test_the_keys_are_those_that_are_promised(calls: Callable[[str], list[Any]]) -> None:
    told = table()
    for name in CALLS:
        check(name, calls(name), told[name])


def test_those_of_a_crawl_and_of_a_probe() -> None:
    told, named = table(), {"url": "u", "kind": "feed", "title": None, "entries": 1, "per_day": 1.0, "newest_at": NOW}
    run = Run(
        started_at=NOW,
        polls=1,
        fetched=1,
        tallies=(Tally(disposition="article", reason="new_story", count=1, example="u"),),
        failed_polls=(FailedPoll(source="s", outcome="http_404", status=404, note=""),),
        waiting_until=None,
    )
    check("crawl", [whole(summary(run))], told["crawl"])
    offer = Offer(
        url="u",
        answered="u",
        rules=Rules(status=200, allowed=True, crawl_delay_s=None, sitemaps=()),
        listings=(Offered(**named),),  # type: ignore[arg-type]
        signals=(Signal(where="meta", name="tdm", value="1"),),
    )
    check("sources probe", [whole(offer)], told["sources probe"])


@pytest.mark.parametrize(("place", "kind"), INSIDE.items(), ids=lambda one: one[0] if isinstance(one, tuple) else "")
def test_what_would_be_in_a_list_that_is_empty_here(place: tuple[str, str], kind: Any) -> None:
    name, path = place
    told = set(re.findall(rf"`{re.escape(path)}\.(\w+)`", table()[name]))
    assert told == {one.name for one in fields(kind)}
