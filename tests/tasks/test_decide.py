from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.records import Access, ChangeClass, Clean, Decision, DecisionKind, Known
from tasks.decide import Thresholds, decide
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


def again(new: Clean, old: Known) -> Decision:
    decision = decide(new, fingerprint(new), same_url=old, others=(), site=SITE)
    assert decision.article_id == old.article_id
    return decision


def first(new: Clean, *others: Known) -> Decision:
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
    assert first(page(), stored("Quite another text. " * 30)).reason == "new_story"


def test_the_same_text_on_the_site_is_a_duplicate_whatever_its_headline() -> None:
    decision = first(page(), stored(id_=9), stored(id_=8, title="Print: ferry"), stored(id_=3, site="other.example"))
    assert (decision.kind, decision.reason, decision.article_id) == (DecisionKind.DUPLICATE, "same_text_on_site", 8)


def test_the_same_text_elsewhere_joins_its_cluster() -> None:
    decision = first(page(), stored(id_=9, site="b.example"), stored(id_=4, site="a.example", title="Boats back"))
    assert (decision.kind, decision.reason, decision.cluster_id) == (DecisionKind.NEW, "same_text", 104)
    assert decision.similarity == 1.0


@pytest.mark.parametrize("site", [SITE, "other.example"])
def test_a_near_duplicate_is_new_in_the_same_cluster(site: str) -> None:
    other = stored(STORY.replace("slightly more", "a little more") + "\n\nThis report came from an agency.", site=site)
    decision = first(page(), other)
    assert (decision.kind, decision.reason, decision.cluster_id) == (DecisionKind.NEW, "near_duplicate", 107)
    assert decision.similarity is not None
    assert 0.5 <= decision.similarity < 1.0


def test_a_story_cut_by_another_editor_joins_its_cluster() -> None:
    assert first(page("\n\n".join(PARTS[:3])), stored(site="other.example")).reason == "near_duplicate"


def test_reports_from_one_template_stay_apart() -> None:
    frame = (
        "{a} Inc of {b} said on Tuesday that its net profit for the second quarter of the year rose to {x} million "
        "from {y} million a year ago, or {z} cents a share, on sales of {v} million. The chief executive, {c}, said "
        "that the company expects the demand for its products to stay strong in the second half, although the prices "
        "of energy are high. The board will pay a dividend of {w} cents a share to the holders of record, the company "
        "said in a statement."
    )
    one = frame.format(a="Brightfield", b="Sandwick", c="Nadia Brook", x=41, y=38, z=12, v=930, w=4)
    other = frame.format(a="Nordlys", b="Easthaven", c="Oskar Lind", x=73, y=66, z=31, v=551, w=9)
    assert first(page(one), stored(other, site="other.example")).reason == "new_story"
    # The proof that it is the facts that keep them apart:
    loose = decide(
        page(one),
        fingerprint(page(one)),
        same_url=None,
        others=[stored(other, site="other.example")],
        site=SITE,
        thresholds=Thresholds(facts=0.0),
    )
    assert loose.reason == "near_duplicate"


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
    old = stored(NOTICE, title=title, published_at=NOW - timedelta(days=days))
    assert first(page(NOTICE, published_at=NOW), old).kind is kind


def test_the_article_itself_is_no_other() -> None:
    new = page()
    assert first(new, replace(stored(), url=new.url)).reason == "new_story"


OTHERS = [
    stored(id_=1, site="a.example"),
    stored(id_=2, site="b.example", title="Boats"),
    stored(id_=3),
    stored(id_=4, title="Boats"),
    stored(STORY + "\n\nMore follows.", id_=5, site="c.example"),
    stored(STORY + "\n\nMore follows.", id_=6, site="d.example"),
    stored("\n\n".join(PARTS[:4]), id_=8),
    stored("Quite another text. " * 30, id_=9),
]


@settings(max_examples=80)
@given(st.lists(st.sampled_from(OTHERS), unique_by=lambda known: known.article_id), st.randoms())
def test_the_order_of_the_others_does_not_matter(others: list[Known], random: Any) -> None:
    wanted = first(page(), *others)
    random.shuffle(others)
    assert first(page(), *others) == wanted


@settings(max_examples=40)
@given(st.sampled_from(["\n", "  ", "\u00a0", ", ", " – "]))
def test_white_space_and_punctuation_never_make_a_version_or_an_article(glue: str) -> None:
    text = STORY.replace(" ", glue)
    assert again(page(text), stored()).kind is DecisionKind.SAME
    assert first(page(text), stored()).kind is DecisionKind.DUPLICATE
