"""Articles read anew from the archive: what would change, what is filed, what is left alone."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from storage import changes, reading, snapshots
from storage.audit import audit
from storage.records import Article, ChangeClass, ChangeKind
from storage.settings import Settings
from storage.store import Store
from tasks.extract.recipes import Recipe
from tasks.process import process_page
from tasks.readers import readers, useful
from tasks.reprocess import Report, contrast, reprocess

Fetch = Callable[..., int]
SITE = "harbour.example"
FERRY = f"https://{SITE}/2026/03/ferry"
TEXTS = (
    "The ferry between the two islands is running again after eleven days in the dock, the port office said.",
    "Engineers replaced a bearing in the starboard shaft, which had cracked when the boat touched the bar in fog.",
    "The first crossing left at seven with nine passengers, a dog and a crate of seed potatoes for the school.",
    "The council has asked for a second boat since the spring of last year and expects an answer in the summer.",
)
BETTER = Recipe(name="harbour", site=SITE, title=("h2.real",), authors=(".pen",))
WORSE = Recipe(name="harbour", site=SITE, body=("p.first",))
NOTHING = Recipe(name="harbour", site=SITE, remove=("body *",))


def html(title: str = "Ferry returns", *, number: int = 1, links: str = "") -> str:
    first, *rest = (f"{text} So says report number {number}." for text in TEXTS)
    body = f'<p class="first">{first}</p>' + "".join(f"<p>{text}</p>" for text in rest)
    return (
        f'<!doctype html><html lang="en"><head><title>{title}</title>{links}<meta property="og:type" content="article">'
        f'</head><body><main><article><h1>{title}</h1><h2 class="real">{title}, at last</h2>'
        f'<div class="pen">Ada Quill</div>{body}</article></main></body></html>'
    )


@pytest.fixture
def filed(store: Store, settings: Settings, fetched: Fetch, now: datetime) -> Callable[..., int]:
    """Files a page as an article, read without a recipe; returns the page's id."""

    def take(url: str = FERRY, body: str = "", **more: int) -> int:
        page_id = fetched(url, body or html(), **more)
        process_page(store, page_id, now=now, recipes={}, settings=settings)
        return page_id

    return take


@pytest.fixture
def again(store: Store, now: datetime) -> Callable[..., Report]:
    def call(*recipes: Recipe, **chosen: object) -> Report:
        named: Mapping[str, Recipe] = {recipe.name: recipe for recipe in recipes}
        return reprocess(store, recipes=named, clock=lambda: now + timedelta(hours=1), **chosen)  # type: ignore[arg-type]

    return call


Filed = Callable[..., int]
Again = Callable[..., Report]


def article(store: Store, number: int = 0) -> Article:
    with store.reading() as tx:
        return reading.listed(tx)[number]


def kinds(store: Store) -> list[ChangeKind]:
    with store.reading() as tx:
        return [change.kind for change in changes.read(tx, 0)]


def test_a_dry_run_tells_what_would_change_and_writes_nothing(store: Store, filed: Filed, again: Again) -> None:
    filed()
    before = article(store)

    report = again(BETTER, dry_run=True)

    assert (report.read, report.changed, report.unchanged) == (1, 1, 0)
    assert report.fields["title"] == report.fields["authors"] == 1
    [example] = report.examples["title"]
    assert (example.article_id, example.url) == (before.id, FERRY)
    assert (example.old, example.new) == ("Ferry returns", "Ferry returns, at last")
    assert report.examples["authors"][0].new == "Ada Quill"
    assert (article(store), kinds(store)) == (before, [ChangeKind.CREATED])


def test_a_run_files_a_version_and_a_second_one_nothing(
    store: Store, filed: Filed, again: Again, now: datetime
) -> None:
    filed()
    before = article(store)

    assert again(BETTER).changed == 1

    after = article(store)
    assert (after.id, after.content.url, after.snapshot_id) == (before.id, FERRY, before.snapshot_id)
    assert (after.version, after.change_class) == (2, ChangeClass.REPROCESSED)
    assert after.content.title == "Ferry returns, at last"
    assert after.content.provenance["title"].source == "recipe:title"
    assert kinds(store) == [ChangeKind.CREATED, ChangeKind.UPDATED]
    second = again(BETTER)
    assert (second.changed, second.unchanged) == (0, 1)
    assert kinds(store) == [ChangeKind.CREATED, ChangeKind.UPDATED]
    assert audit(store, now).faults == ()


def test_authors_alone_make_a_version(store: Store, filed: Filed, again: Again) -> None:
    filed()
    text = article(store).content.text
    report = again(Recipe(name="harbour", site=SITE, authors=(".pen",)))
    assert set(report.fields) == {"authors"}
    assert (article(store).content.authors, article(store).content.text) == (("Ada Quill",), text)


def test_by_the_same_rules_nothing_changes_not_even_after_a_refetch(store: Store, filed: Filed, again: Again) -> None:
    filed()
    filed(body=html().replace("</article>", "<p>Updated 3 minutes ago</p></article>"))
    assert (again().changed, kinds(store)) == (0, [ChangeKind.CREATED])


def test_a_worse_text_replaces_nothing(store: Store, filed: Filed, again: Again) -> None:
    filed()
    report = again(WORSE)
    assert (report.changed, report.kept) == (0, {"kept_better_text": 1})
    assert kinds(store) == [ChangeKind.CREATED]


def test_a_page_that_is_no_article_any_more_keeps_its_article(store: Store, filed: Filed, again: Again) -> None:
    filed()
    report = again(NOTHING)
    assert report.changed == 0
    assert sum(report.kept.values()) == 1
    assert article(store).version == 1


def test_a_damaged_record_is_named_and_the_others_go_on(
    store: Store, filed: Filed, again: Again, now: datetime, tmp_path: Path
) -> None:
    filed()
    snapshots.pack(store, now, most_bytes=1, after=timedelta())
    [file] = (one for one in (tmp_path / "archive").rglob("*") if one.is_file())
    file.write_bytes(b"x" * file.stat().st_size)
    filed(f"{FERRY}-two", html("Second boat asked for", number=2))

    report = again(BETTER)

    assert (report.read, report.changed) == (2, 1)
    [failed] = report.failed
    assert (failed.article_id, failed.url) == (article(store).id, FERRY)
    assert failed.error.startswith("ArchiveDamaged: ")


def test_only_what_is_asked_for(store: Store, filed: Filed, again: Again, now: datetime) -> None:
    filed(age_s=90_000)
    filed("https://valley.example/boat", html("Second boat asked for", number=2))

    assert again(dry_run=True).read == 2
    assert again(dry_run=True, since=now - timedelta(hours=1)).read == 1
    assert again(dry_run=True, source_name=SITE).read == 1
    assert again(dry_run=True, source_name="nobody").read == 0


def test_an_article_of_several_pages_is_read_with_all_of_them(store: Store, filed: Filed, again: Again) -> None:
    first = html(links=f'<link rel="next" href="{FERRY}?page=2">')
    page_id = filed(body=first)
    filed(f"{FERRY}?page=2", html(number=2, links=f'<link rel="prev" href="{FERRY}">'))
    filed(body=first)
    assert page_id
    text = article(store).content.text
    assert "report number 2" in text

    assert again().changed == 0
    again(BETTER)
    assert article(store).version == 2
    assert "report number 2" in article(store).content.text


def test_readers_beside_each_other_file_in_order_and_one_that_dies_costs_one_article(
    store: Store, settings: Settings, filed: Filed, again: Again
) -> None:
    for number, word in enumerate(("Ferry", "Wharf", "Pilot", "Storm")):
        filed(f"https://{SITE}/2026/03/{word}", html(f"{word} returns", number=number).replace("ferry", word))
    with store.reading() as tx:
        before = changes.read(tx, 0)

    with readers(store, settings, {"harbour": BETTER}, 2) as others:
        assert again(examined=others.examine).changed == 4
        with store.reading() as tx:
            told = [one.article_id for one in changes.read(tx, before[-1].seq)]
        assert told == sorted(one.article_id for one in before if one.kind is ChangeKind.CREATED)

        others.processes[-1].kill()
        report = again(examined=others.examine)
        assert (report.read, report.unchanged) == (4, 3)
        assert report.failed[0].error == "it killed the process that read it (exit -9)"


def test_a_process_is_started_only_for_so_many_articles_as_are_worth_it() -> None:
    assert useful(0) == useful(399) == 1
    assert useful(1_000_000) >= 1


def test_long_texts_are_shown_from_where_they_part() -> None:
    old = "word " * 100 + "red boat" + " word" * 100
    one, other = contrast(old, old.replace("red boat", "blue boat"))
    assert "red boat" in one
    assert "blue boat" in other
    assert max(len(one), len(other)) < 200
    assert contrast(None, ("Ada Quill", "Jo Ray")) == ("", "Ada Quill | Jo Ray")
