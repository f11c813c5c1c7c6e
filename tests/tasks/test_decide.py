from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.records import Access, ChangeClass, Clean, Decision, DecisionKind, Known, Neighbour
from tasks.decide import decide
from tasks.fingerprint import fingerprint

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
SITE = "harbour-courier.example"
PARTS = [
    "The council of Norrby voted on Tuesday evening to reopen the ferry line across the estuary after 22 months.",
    "The two boats have been overhauled at a yard in Velden, and test runs are due to begin at the month's end.",
    "“People on both banks have waited long enough,” said Samuel Thorne, who chairs the transport committee.",
    "A single crossing will cost the same as a bus ticket, and bicycles will travel free, the harbour office said.",
    "About 705 passengers a day are expected in the summer, slightly more than in its last full year, 2023.",
    "Marta Holloway, who runs a bakery next to the eastern landing stage, has taken on an apprentice for the spring.",
]
STORY = "\n\n".join(PARTS)


def page(text: str = STORY, *, title: str = "Ferry line to reopen", **more: Any) -> Clean:
    return Clean(url=f"https://www.{SITE}/ferry", title=title, text=text, blocks=(), fetched_at=NOW, **more)


def stored(
    text: str = STORY, *, id_: int = 7, title: str = "Ferry line to reopen", site: str = SITE, **more: Any
) -> Known:
    same = page(text, title=title)
    values = {"url": f"https://www.{site}/{id_}", "access": Access.FREE, "published_at": None, "version": 1} | more
    return Known(
        article_id=id_, site=site, cluster_id=100 + id_, fingerprint=fingerprint(same), text=text, title=title, **values
    )


def beside(
    text: str = STORY, *, id_: int = 7, title: str = "Ferry line to reopen", site: str = SITE, **more: Any
) -> Neighbour:
    values = {"url": f"https://www.{site}/{id_}", "published_at": None} | more
    made = fingerprint(page(text, title=title))
    return Neighbour(article_id=id_, site=site, cluster_id=100 + id_, fingerprint=made, **values)


def again(new: Clean, old: Known) -> Decision:
    decision = decide(new, fingerprint(new), same_url=old, others=(), site=SITE)
    assert decision.article_id == old.article_id
    return decision


def first(new: Clean, *others: Neighbour) -> Decision:
    return decide(new, fingerprint(new), same_url=None, others=others, site=SITE)


def test_equal_text_at_the_same_address_is_unchanged() -> None:
    assert (again(page(), stored()).kind, again(page(), stored()).reason) == (DecisionKind.SAME, "unchanged")


@pytest.mark.parametrize(
    "text",
    [
        STORY.replace("“", '"').replace("”", '"'),
        STORY.replace("\n\n", "\n"),
        f"{STORY}\n\nUpdated 5 minutes ago",
        f"14 comments\n\n{STORY}",
    ],
)
def test_cosmetic_differences_make_no_version(text: str) -> None:
    decision = again(page(text), stored())
    assert (decision.kind, decision.reason) == (DecisionKind.SAME, "cosmetic")
    assert decision.change_class is ChangeClass.COSMETIC


def test_counters_that_moved_are_cosmetic() -> None:
    old = stored(f"{STORY}\n\nUpdated 5 minutes ago\n\n14 comments")
    assert again(page(f"{STORY}\n\nUpdated 2 hours ago\n\n31 comments"), old).reason == "cosmetic"


@pytest.mark.parametrize(
    "new",
    [
        page("\n\n".join(PARTS[:2]), access=Access.PAYWALL),
        page("Rewritten teaser for those who pay.", access=Access.PARTIAL),
        page("We value your privacy. " * 80, access=Access.CONSENT),
        page("\n\n".join(PARTS[:5])),
        page(STORY[:400]),
        page("\n\n".join([PARTS[0], PARTS[3], PARTS[5]])),
        page("This page cannot be shown at the moment. Please try later.", title="Something went wrong"),
    ],
    ids=["wall", "teaser", "consent", "last_part_missing", "cut", "parts_missing", "error_page"],
)
def test_good_text_is_never_overwritten_by_less(new: Clean) -> None:
    decision = again(new, stored())
    assert (decision.kind, decision.reason) == (DecisionKind.SAME, "kept_better_text")


def test_the_full_text_replaces_a_teaser() -> None:
    decision = again(page(), stored(PARTS[0], access=Access.PAYWALL))
    assert (decision.kind, decision.reason) == (DecisionKind.VERSION, "fuller_text")
    assert decision.change_class is ChangeClass.EDIT


@pytest.mark.parametrize(
    ("new", "change"),
    [
        (page(STORY.replace("705", "750")), ChangeClass.CORRECTION),
        (page(STORY.replace("Holloway", "Halloway")), ChangeClass.CORRECTION),
        (page(f"{STORY}\n\nCorrection: the line was closed in 2024."), ChangeClass.CORRECTION),
        (page(f"{STORY}\n\nThe first boat left at noon."), ChangeClass.EDIT),
        (page(STORY.replace("test runs are due", "test runs were due")), ChangeClass.EDIT),
        (page(title="Ferry line opens late"), ChangeClass.EDIT),
        (page("A short one now tells the whole story of the ferry line."), ChangeClass.EDIT),
    ],
)
def test_a_meaningful_change_makes_a_version(new: Clean, change: ChangeClass) -> None:
    decision = again(new, stored())
    assert (decision.kind, decision.change_class) == (DecisionKind.VERSION, change)
    assert decision.similarity is not None


def test_nothing_alike_is_a_new_story() -> None:
    assert first(page()) == Decision(kind=DecisionKind.NEW, reason="new_story")
    assert first(page(), beside(" ".join(f"Another{n} text{n}" for n in range(90)))).reason == "new_story"


def test_the_same_text_on_the_site_is_a_duplicate_whatever_its_headline() -> None:
    decision = first(page(), beside(id_=9), beside(id_=8, title="Print: ferry"), beside(id_=3, site="other.example"))
    assert (decision.kind, decision.reason, decision.article_id) == (DecisionKind.DUPLICATE, "same_text_on_site", 8)


def test_the_same_text_elsewhere_joins_its_cluster() -> None:
    decision = first(page(), beside(id_=9, site="b.example"), beside(id_=4, site="a.example", title="Boats back"))
    assert (decision.kind, decision.reason, decision.cluster_id) == (DecisionKind.NEW, "same_text", 104)
    assert decision.similarity == 1.0


@pytest.mark.parametrize("site", [SITE, "other.example"])
def test_a_near_duplicate_is_new_in_the_same_cluster(site: str) -> None:
    other = beside(STORY.replace("slightly more", "a little more") + "\n\nThis report came from an agency.", site=site)
    decision = first(page(), other)
    assert (decision.kind, decision.reason, decision.cluster_id) == (DecisionKind.NEW, "near_duplicate", 107)
    assert decision.similarity is not None
    assert 0.5 <= decision.similarity < 1.0


def test_a_story_cut_by_another_editor_joins_its_cluster() -> None:
    assert first(page("\n\n".join(PARTS[:3])), beside(site="other.example")).reason == "near_duplicate"


NOTICE = "There are no trains to Velden today."


@pytest.mark.parametrize(
    ("title", "days", "kind"),
    [
        ("Ferry line to reopen", 0, DecisionKind.DUPLICATE),
        ("Ferry line to reopen", 1, DecisionKind.DUPLICATE),
        ("Ferry line to reopen", 3, DecisionKind.NEW),
        ("Trains", 0, DecisionKind.NEW),
    ],
)
def test_a_short_text_needs_its_title_and_its_day(title: str, days: int, kind: DecisionKind) -> None:
    old = beside(NOTICE, title=title, published_at=NOW - timedelta(days=days))
    assert first(page(NOTICE, published_at=NOW), old).kind is kind


def test_the_article_itself_is_no_other() -> None:
    new = page()
    assert first(new, replace(beside(), url=new.url)).reason == "new_story"


OTHERS = [
    beside(id_=1, site="a.example"),
    beside(id_=2, site="b.example", title="Boats"),
    beside(id_=3),
    beside(id_=4, title="Boats"),
    beside(STORY + "\n\nMore follows.", id_=5, site="c.example"),
    beside(STORY + "\n\nMore follows.", id_=6, site="d.example"),
    beside("\n\n".join(PARTS[:4]), id_=8),
    beside("Quite another text. " * 30, id_=9),
]


@settings(max_examples=80)
@given(st.lists(st.sampled_from(OTHERS), unique_by=lambda known: known.article_id), st.randoms())
def test_the_order_of_the_others_does_not_matter(others: list[Neighbour], random: Any) -> None:
    wanted = first(page(), *others)
    random.shuffle(others)
    assert first(page(), *others) == wanted


@settings(max_examples=40)
@given(st.sampled_from(["\n", "  ", "\u00a0", ", ", " – "]))
def test_white_space_and_punctuation_never_make_a_version_or_an_article(glue: str) -> None:
    text = STORY.replace(" ", glue)
    assert again(page(text), stored()).kind is DecisionKind.SAME
    assert first(page(text), beside()).kind is DecisionKind.DUPLICATE
