"""Datasets: read as strangers read them, whole or not there, each change exactly once."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import feedparser
import pandas as pd
import pytest
from warcio.archiveiterator import ArchiveIterator

from storage import changes, reading, withdrawals
from storage.datasets import feeds, follow, forms, manifest, whole
from storage.datasets.place import Place
from storage.errors import InputError, UsageError
from storage.filters import Filter
from storage.records import Source
from storage.store import Store

Publish = Callable[..., int]


def ignore(_: int) -> None:
    """No progress is shown."""


@pytest.fixture
def shelf(store: Store, publish: Publish, add_source: Callable[..., Source]) -> Store:
    """Three articles of one source, the second with signs that trouble tables."""
    with store.writing() as tx:
        source = add_source(tx)
        for path, text in (("a", "A ferry came in."), ("b", '=SUM(A1) "quoted",\nnext line'), ("c", "Schnee fällt.")):
            publish(tx, source, path, text=text)
    return store


def grow(store: Store, place: Place, form: str, having: Filter | None = None) -> int:
    """Take everything into a dataset of changes; returns how many changes."""
    taken = 0
    while step := follow.advance(store, place, form, having):
        taken += step
    return taken


def write(store: Store, form: str) -> bytes:
    out = io.BytesIO()
    with store.reading() as tx:
        whole.write_file(tx, form, out, None, ignore)
    return out.getvalue()


def test_jsonl_holds_the_canonical_records(shelf: Store) -> None:
    lines = [json.loads(line) for line in write(shelf, "jsonl").splitlines()]
    with shelf.reading() as tx:
        assert lines == [json.loads(json.dumps(reading.to_json(one))) for one in reading.listed(tx)]


def test_csv_survives_quotes_lines_and_formulas(shelf: Store) -> None:
    rows = list(csv.DictReader(io.StringIO(write(shelf, "csv").decode(), newline="")))
    assert [row["text"] for row in rows] == ["A ferry came in.", '\'=SUM(A1) "quoted",\nnext line', "Schnee fällt."]


def test_an_empty_store_makes_files_with_a_head_and_no_rows(store: Store) -> None:
    assert write(store, "jsonl") == b""
    assert write(store, "csv").startswith(b"id,url,")
    assert pd.read_parquet(io.BytesIO(write(store, "parquet"))).empty


def test_parquet_by_days_for_duckdb_and_pandas(shelf: Store, tmp_path: Path, now: datetime) -> None:
    place = Place(str(tmp_path / "lake"))
    with shelf.reading() as tx:
        made = whole.write_days(tx, "parquet", place, None, ignore, changes.last(tx))
    day = now.date().isoformat()
    assert [(part.day, part.rows) for part in made.parts] == [(day, 3)]
    lake = duckdb.read_parquet(f"{tmp_path}/lake/*/*.parquet", hive_partitioning=True)
    number, text, seen, authors, partition = (
        lake.order("id").project("id, text, first_seen, authors, day").fetchall()[0]
    )
    assert (number, text, authors, str(partition)) == (1, "A ferry came in.", [], day)
    assert seen.tzinfo is not None
    frame = pd.read_parquet(tmp_path / "lake" / f"day={day}")
    assert frame.sort_values("id")["text"].tolist()[2] == "Schnee fällt."
    assert manifest.load(place) == made


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_each_change_is_in_the_dataset_exactly_once(
    store: Store, publish: Publish, add_source: Callable[..., Source], tmp_path: Path, form: str
) -> None:
    place = Place(str(tmp_path / "lake"))
    with store.writing() as tx:
        source = add_source(tx)
        publish(tx, source, "a", text="one")
    assert grow(store, place, form) == 1
    assert grow(store, place, form) == 0
    with store.writing() as tx:
        publish(tx, source, "b", text="two")
    # a turn that died before its manifest leaves files that count for nothing, and are written again
    old = (tmp_path / "lake" / "_manifest.json").read_bytes()
    grow(store, place, form)
    (tmp_path / "lake" / "_manifest.json").write_bytes(old)
    assert grow(store, place, form) == 1
    assert [(row["seq"], row["kind"], row["text"]) for row in rows_of(place, form)] == [
        (1, "created", "one"),
        (2, "created", "two"),
    ]


def rows_of(place: Place, form: str) -> list[dict[str, Any]]:
    """The rows of the files that the manifest names."""
    found = manifest.load(place)
    assert found is not None
    return [row for part in found.parts for row in follow._read(place, form, part.file)]


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_what_is_withdrawn_leaves_the_files_written_before(
    shelf: Store, tmp_path: Path, form: str, now: datetime
) -> None:
    place = Place(str(tmp_path / "lake"))
    grow(shelf, place, form)
    for turn, article_id in enumerate((1, 3), 1):
        shelf.write(lambda tx, gone=article_id: withdrawals.mark(tx, gone, "legal", now + timedelta(days=turn)))  # type: ignore[misc]  # noqa: B023
        grow(shelf, place, form)
    texts = {(row["seq"], row["kind"]): row["text"] for row in rows_of(place, form)}
    assert {seq_kind for seq_kind, text in texts.items() if text is not None} == {(2, "created")}
    assert [kind for _, kind in texts] == ["created", "created", "created", "withdrawn", "withdrawn"]
    files = [file for file in (tmp_path / "lake").rglob("*") if file.is_file()]
    assert not any(b"A ferry came" in file.read_bytes() for file in files)
    assert len(files) == 4, "the old files are gone: three of rows and the manifest stay"


def test_a_dataset_of_changes_may_be_of_some_articles(shelf: Store, tmp_path: Path) -> None:
    place = Place(str(tmp_path / "lake"))
    assert grow(shelf, place, "jsonl", Filter(source="nobody")) == 3
    assert rows_of(place, "jsonl") == []


def test_one_folder_holds_one_kind_of_dataset(shelf: Store, tmp_path: Path) -> None:
    place = Place(str(tmp_path / "lake"))
    grow(shelf, place, "jsonl")
    with pytest.raises(UsageError, match="holds a dataset of changes as jsonl"):
        follow.advance(shelf, place, "parquet")
    (tmp_path / "lake" / "_manifest.json").write_text("{", "utf-8")
    with pytest.raises(InputError, match=r"manifest\.json: is no manifest"):
        follow.advance(shelf, place, "jsonl")


@pytest.mark.parametrize("file", ["../secret.jsonl", "day=1/../../secret.jsonl", "/etc/passwd"])
def test_a_manifest_that_names_a_file_elsewhere_is_refused(shelf: Store, tmp_path: Path, file: str) -> None:
    place = Place(str(tmp_path / "lake"))
    grow(shelf, place, "jsonl")
    found = manifest.load(place)
    assert found is not None
    replace(found, parts=(replace(found.parts[0], file=file),)).publish(place)
    with pytest.raises(InputError, match="names a file outside of the dataset"):
        follow.advance(shelf, place, "jsonl")


def test_a_remote_place(shelf: Store) -> None:
    place = Place(f"memory://lake-{uuid4().hex}/articles")
    assert grow(shelf, place, "jsonl") == 3
    assert [row["seq"] for row in rows_of(place, "jsonl")] == [1, 2, 3]


def test_an_unknown_kind_of_place_is_named() -> None:
    with pytest.raises(InputError, match="nowhere://x: no such kind of place"):
        Place("nowhere://x")


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    place = Place(str(tmp_path))
    with place.publish("kept.txt") as out:
        out.write(b"old")

    def fail() -> None:
        with place.publish("kept.txt") as half:
            half.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("kept.txt", b"old")]


@pytest.mark.parametrize("form", ["rss", "atom"])
def test_feeds_are_read_by_another_reader(shelf: Store, form: str, now: datetime) -> None:
    with shelf.reading() as tx:
        found = reading.newest(tx, limit=2)
    made = feeds.FEEDS[form](found, title="News & more", link="https://desk.example/", now=now)
    parsed = feedparser.parse(made)
    assert (parsed.bozo, parsed.feed.title, parsed.version) == (
        False,
        "News & more",
        {"rss": "rss20", "atom": "atom10"}[form],
    )
    assert [entry.link for entry in parsed.entries] == ["https://harbour.example/c", "https://harbour.example/b"]
    assert parsed.entries[0].summary == "Schnee fällt."


def test_no_markup_of_strangers_gets_into_a_feed(
    store: Store, publish: Publish, add_source: Callable[..., Source], now: datetime
) -> None:
    with store.writing() as tx:
        publish(tx, add_source(tx), "x", text="</description><script>alert(1)</script> \x0b &amp;")
        found = reading.newest(tx)
    shown = {}
    for form, make in feeds.FEEDS.items():
        parsed = feedparser.parse(make(found, title="t", link="urn:x", now=now))
        assert not parsed.bozo
        shown[form] = (parsed.entries[0].summary_detail.type, "<script" in parsed.entries[0].summary)
    assert shown == {"rss": ("text/html", False), "atom": ("text/plain", True)}


def test_warc_holds_the_fetched_pages(shelf: Store) -> None:
    out = io.BytesIO()
    with shelf.reading() as tx:
        assert whole.write_warc(shelf, tx, out, None, ignore) == 3
    out.seek(0)
    urls = [
        record.rec_headers.get_header("WARC-Target-URI")
        for record in ArchiveIterator(out)
        if record.rec_type == "response"
    ]
    assert urls == [f"https://harbour.example/{path}" for path in "abc"]


def test_every_column_is_a_field_of_the_record(shelf: Store) -> None:
    with shelf.reading() as tx:
        record = reading.to_json(reading.get(tx, 1))
    assert {*forms.COLUMNS} == {*record} - {"schema"}
