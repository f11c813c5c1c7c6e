from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from storage.records import Access, Block, BlockKind, Clean, Extracted, Finding, Precision, Rejection
from tasks.credit import credited
from tasks.normalize import Facts, normalize, people, primary_language

T = TypeVar("T")
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
URL = "https://www.lake-gazette.example/city/birds"
FACTS = Facts(url=URL, fetched_at=NOW)
BODY: tuple[Block, ...] = (
    Block(kind=BlockKind.HEADING, text="At low tide", level=2),
    Block(kind=BlockKind.PARAGRAPH, text="Volunteers counted 464 wading birds."),
)


def found(value: T, confidence: float = 0.5, source: str = "meta") -> Finding[T]:
    return Finding(value=value, source=source, raw=str(value), confidence=confidence)


PAGE = Extracted(title=(found("Birds counted"),), blocks=(found(BODY),))


def article(extracted: Extracted, facts: Facts = FACTS) -> Clean:
    result = normalize(extracted, facts)
    assert isinstance(result, Clean), result
    return result


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (replace(PAGE, title=()), "no_title"),
        (replace(PAGE, blocks=()), "no_text"),
        (replace(PAGE, blocks=(found(BODY[:1]),)), "too_short"),
    ],
)
def test_what_is_no_article_is_rejected_with_a_reason(page: Extracted, reason: str) -> None:
    result = normalize(page, FACTS)
    assert isinstance(result, Rejection)
    assert (result.stage, result.reason) == ("normalize", reason)


def test_a_short_chinese_text_is_counted_by_its_characters() -> None:
    blocks = (Block(kind=BlockKind.PARAGRAPH, text="志愿者数了海鸟"),)
    assert article(replace(PAGE, blocks=(found(blocks),))).text == "志愿者数了海鸟"


def test_text_is_the_plain_rendering_of_the_blocks() -> None:
    result = article(PAGE)
    assert result.text == "At low tide\n\nVolunteers counted 464 wading birds."
    assert (result.url, result.blocks, result.access, result.fetched_at) == (URL, BODY, Access.FREE, NOW)


def test_the_most_trusted_finding_wins_and_of_equals_the_first() -> None:
    page = replace(PAGE, title=(found("First", 0.5), found("Second", 0.9, "h1"), found("Third", 0.9)))
    result = article(page)
    assert result.title == "Second"
    assert (result.provenance["title"].source, result.provenance["title"].confidence) == ("h1", 0.9)


def test_provenance_names_each_field_that_was_found_and_no_other() -> None:
    page = replace(PAGE, section=(found("City"),), access=(found(Access.METERED),))
    assert set(article(page).provenance) == {"title", "text", "section", "access"}


def test_a_long_raw_form_is_cut_in_the_provenance() -> None:
    body = Finding(value=BODY, source="article", raw="x" * 5_000, confidence=0.5)
    assert len(article(replace(PAGE, blocks=(body,))).provenance["text"].raw) == 300


def test_people_are_named_once_and_the_publisher_is_none_of_them() -> None:
    names = ["ANNA KOWAL", "Anna Kowal", "Piotr Ramsey", "Harbour Courier", "https://x.example/anna", ""]
    assert people(names, "harbour courier") == ("Anna Kowal", "Piotr Ramsey")


def test_an_author_finding_without_a_person_loses_to_the_next() -> None:
    page = replace(PAGE, authors=(found(("Lake Gazette",), 0.9), found(("Ines Calder",), 0.4)))
    result = article(page, replace(FACTS, publisher="Lake Gazette"))
    assert (result.authors, result.publisher) == (("Ines Calder",), "Lake Gazette")
    assert result.provenance["authors"].confidence == 0.4


def test_a_date_after_the_fetch_or_at_the_zero_of_the_clock_loses_to_the_next() -> None:
    good = NOW - timedelta(days=6)
    dates = (found(NOW + timedelta(days=2), 0.9), found(datetime(1970, 1, 1, tzinfo=UTC), 0.8), found(good, 0.3))
    result = article(replace(PAGE, published_at=dates, published_precision=Precision.SECOND))
    # The precision was that of the date that fell out.
    assert (result.published_at, result.published_precision) == (good, None)


def test_a_date_within_a_day_after_the_fetch_is_a_time_zone() -> None:
    date = NOW + timedelta(hours=20)
    result = article(replace(PAGE, published_at=(found(date),), published_precision=Precision.MINUTE))
    assert (result.published_at, result.published_precision) == (date, Precision.MINUTE)


def test_no_date_is_invented() -> None:
    result = article(PAGE)
    assert (result.published_at, result.modified_at, result.published_precision) == (None, None, None)


@pytest.mark.parametrize(("hours", "kept"), [(-1, False), (0, True), (5, True), (60 * 24, False)])
def test_a_change_before_the_publication_or_after_the_fetch_is_dropped(hours: int, kept: bool) -> None:
    published = NOW - timedelta(days=6)
    modified = published + timedelta(hours=hours)
    page = replace(PAGE, published_at=(found(published),), modified_at=(found(modified),))
    assert article(page).modified_at == (modified if kept else None)


@pytest.mark.parametrize(
    ("tag", "primary"),
    [
        ("en-GB", "en"),
        ("PT_br", "pt"),
        ("zh-Hans-CN", "zh"),
        ("iw", "he"),
        ("deu", "de"),
        ("und", None),
        ("english", None),
        ("", None),
        (None, None),
    ],
)
def test_language_is_the_primary_subtag(tag: str | None, primary: str | None) -> None:
    assert primary_language(tag) == primary


def test_the_sources_language_stands_in_for_a_missing_one() -> None:
    page = replace(PAGE, language=(found("x-default", 0.9), found("sv-SE", 0.2)))
    assert article(page, replace(FACTS, language="de")).language == "sv"
    assert article(PAGE, replace(FACTS, language="de-AT")).language == "de"


SAME = "https://www.lake-gazette.example/city/birds-by-the-lake"


@pytest.mark.parametrize(
    ("url", "declared", "filed"),
    [
        (URL, SAME, SAME),
        (URL, "/city/birds-by-the-lake", SAME),
        (URL, "https://www.lake-gazette.example/", URL),
        (URL, "https://www.lake-gazette.example", URL),
        (URL, "https://www.lake-gazette.example/city/", URL),
        (URL, "https://stranger.example/city/birds", URL),
        (URL, "ftp://www.lake-gazette.example/city/other", URL),
        (URL, "javascript:void(0)", URL),
        (f"{URL}/amp", URL, URL),
        (f"{URL}/2", URL, URL),
        ("https://www.lake-gazette.example/7", "/", "https://www.lake-gazette.example/7"),
        ("https://m.lake-gazette.example/city/birds", URL, URL),
        ("https://www.lake-gazette.example/amp/city/birds", URL, URL),
    ],
)
def test_a_declared_canonical_is_checked_before_it_is_believed(url: str, declared: str, filed: str) -> None:
    result = article(replace(PAGE, canonical_url=(found(declared),)), replace(FACTS, url=url))
    assert result.url == filed


def test_a_canonical_on_another_site_is_evidence_and_the_next_one_counts() -> None:
    canonical = (found("https://wire.example/a", 0.9), found(SAME, 0.4))
    result = article(replace(PAGE, canonical_url=canonical))
    assert result.url == SAME
    assert result.provenance["syndicated_from"].raw == "https://wire.example/a"
    assert result.provenance["canonical_url"].raw == SAME


def test_what_has_no_web_address_keeps_its_own() -> None:
    own: dict[str, Any] = {"url": "urn:sha256:00ff", "fetched_at": NOW}
    assert article(PAGE, Facts(**own)).url == "urn:sha256:00ff"


def test_a_writer_whose_site_bears_his_name_is_the_author_and_beside_others_the_house_is_none() -> None:
    own = replace(PAGE, authors=(found(("Ines Calder",), 0.9),), publisher=(found("Ines Calder"),))
    assert article(own).authors == ("Ines Calder",)
    both = replace(own, authors=(found(("Jo Reed", "Ines Calder"), 0.9),))
    assert article(both).authors == ("Jo Reed",)
    lesser = replace(own, authors=(found(("Ines Calder",), 0.9), found(("Jo Reed",), 0.4)))
    assert article(lesser).authors == ("Jo Reed",)


def test_an_agency_in_the_text_is_the_credit_before_the_newsroom_of_the_byline() -> None:
    body = (Block(kind=BlockKind.PARAGRAPH, text="LONDON (Reuters) - Volunteers counted 464 wading birds."),)
    page = replace(PAGE, blocks=(found(body),), credit=(found("Lake Newsroom", 0.9),), dateline=(found("LONDON"),))
    result = article(page)
    assert (result.credit, result.dateline, result.provenance["credit"].source) == ("Reuters", "LONDON", "text:credit")
    assert article(replace(PAGE, credit=(found("Lake Newsroom", 0.9),))).credit == "Lake Newsroom"


def test_an_agency_in_the_byline_is_the_credit() -> None:
    assert credited(article(replace(PAGE, credit=(found("Reuters", 0.9),))))[0] == "Reuters"
