from datetime import UTC, datetime, timedelta

import pytest

from storage.records import ChangeClass, Clean, DecisionKind, Fingerprint, Hints, Known, Neighbour, Rejection
from tasks.extract.material import Material
from tasks.pipeline import Read, judge, read

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
URL = "https://www.harbour-courier.example/local/ferry"
SITE = "harbour-courier.example"
HEAD = "Ferry line 'Seagull' returns after a gap of 22 months"
PARTS = [
    "The council voted to reopen the self\u2011financed ferry line across the estuary, closed for repairs since.",
    'Two boats were overhauled at a yard further along the coast, and the "first test runs" begin in ten days.',
    "A crossing will cost as much as a bus ticket. Bicycles will travel free of charge, the harbour office\u00a0said.",
    "Not everyone was in favour: two members would rather have spent the money on the high\u2011level road bridge.",
    "Looking ahead, the committee will report after the first season, and a third boat could be added later.",
]
HTML = """<!DOCTYPE html><html lang="en"><head><title>{head} | Harbour Courier</title>
<link rel="canonical" href="https://www.harbour-courier.example/"></head>
<body><nav><a href="/">Home</a></nav><article><h1>{head}</h1><h2>{head}</h2>{parts}
<p><a href="/more">Read more</a></p></article></body></html>"""


def served(body: str, kind: str, *, url: str = URL, status: int = 200, hints: Hints | None = None) -> Material:
    headers = (("Content-Type", f"{kind}; charset=utf-8"),)
    return Material(url=url, status=status, headers=headers, body=body.encode(), fetched_at=NOW, hints=hints or Hints())


def html(*, parts: list[str] = PARTS, url: str = URL, head: str = HEAD) -> Material:
    return served(HTML.format(head=head, parts="".join(f"<p>{part}</p>" for part in parts)), "text/html", url=url)


def article(material: Material) -> Clean:
    result = read(material)
    assert isinstance(result, Read), result
    return result.clean


def opened(material: Material) -> Read:
    result = read(material)
    assert isinstance(result, Read), result
    return result


def known(page: Read) -> Known:
    clean = page.clean
    return Known(
        article_id=7,
        url=clean.url,
        site=SITE,
        cluster_id=70,
        version=1,
        fingerprint=page.fingerprint,
        text=clean.text,
        title=clean.title,
        access=clean.access,
        published_at=clean.published_at,
    )


def beside(page: Read) -> Neighbour:
    return Neighbour(article_id=7, url=page.clean.url, site=SITE, cluster_id=70, fingerprint=page.fingerprint)


@pytest.mark.parametrize("status", [301, 404, 410, 500, 503, 0])
def test_what_the_server_refused_is_rejected_before_it_is_read(status: int) -> None:
    result = read(served(HTML.format(head=HEAD, parts=""), "text/html", status=status))
    assert result == Rejection(stage="read", reason=f"http_{status}", detail=URL)


@pytest.mark.parametrize("body", ["", " \r\n\t"])
def test_an_empty_body_is_rejected(body: str) -> None:
    result = read(served(body, "text/html"))
    assert result == Rejection(stage="read", reason="empty_body", detail=URL)


def test_a_pasted_text_has_its_title_once_its_paragraphs_and_no_loose_end() -> None:
    result = article(served("\n\n".join([HEAD, HEAD, *PARTS, "Read more"]), "text/plain"))
    assert result.title == HEAD
    plain = [part.replace("\u2011", "-").replace("\u00a0", " ") for part in PARTS]
    assert [block.text for block in result.blocks] == plain
    assert result.text == "\n\n".join(plain)


def test_a_page_comes_out_like_the_text_and_under_its_own_address() -> None:
    result = article(html())
    assert (result.title, result.url, result.language) == (HEAD, URL, "en")
    assert [block.text[:9] for block in result.blocks] == [part[:9] for part in PARTS]
    assert "\u2011" not in result.text
    assert {"title", "text"} <= set(result.provenance)


def test_a_listing_helps_where_the_page_is_silent() -> None:
    said = NOW - timedelta(days=1)
    result = article(served(html().body.decode(), "text/html", hints=Hints(published_at=said)))
    assert result.published_at == said


def test_reading_is_repeatable() -> None:
    assert read(html()) == read(html())


def test_a_page_is_judged_by_its_address_first_and_candidates_are_not_asked() -> None:
    first = opened(html())
    decision = judge(first, site=SITE, same_url=None, candidates=lambda _: ())
    assert (decision.kind, decision.reason) == (DecisionKind.NEW, "new_story")

    def unasked(_: Fingerprint) -> list[Neighbour]:
        raise AssertionError("candidates were looked up for a known address")

    fixed = opened(html(parts=[part.replace("Two boats", "3 boats") for part in PARTS]))
    decision = judge(fixed, site=SITE, same_url=known(first), candidates=unasked)
    assert (decision.kind, decision.change_class) == (DecisionKind.VERSION, ChangeClass.CORRECTION)


def test_candidates_are_looked_up_by_the_print_of_the_clean_text() -> None:
    first = opened(html())
    asked: list[Fingerprint] = []

    def find(wanted: Fingerprint) -> list[Neighbour]:
        asked.append(wanted)
        return [beside(first)]

    twin = opened(served("\n\n".join([HEAD, *PARTS]), "text/plain", url=f"{URL}-print"))
    decision = judge(twin, site=SITE, same_url=None, candidates=find)
    assert (decision.kind, decision.reason, decision.article_id) == (DecisionKind.DUPLICATE, "same_text_on_site", 7)
    assert asked == [first.fingerprint]
