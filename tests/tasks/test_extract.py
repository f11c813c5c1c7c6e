"""Extraction of whole pages: what comes out of every field, and which pages are refused."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.records import Access, BlockKind, Extracted, Hints, Rejection
from tasks.extract import Material, extract
from tasks.extract.blocks import plain
from tasks.extract.recipes import Recipe

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
TITLE = "Old quarry lake to open for swimmers in June"
PARAGRAPHS = (
    "The old quarry lake above Tarn End is to open for swimmers in June, the council decided on Monday.",
    "Divers have cleared the shallow end of scrap iron, and a wooden jetty was put up by volunteers in winter.",
    "“We tested the water every week for a year,” said Hanna Pell, who leads the plan. “It is cleaner than the sea.”",
    "A lifeguard will be on duty at weekends. On other days a sign warns bathers that they swim at their own risk.",
)

HTML = (("Content-Type", "text/html; charset=utf-8"),)
PIECES = (
    "<h1>",
    "</h1>",
    "<p>",
    "</p>",
    "<!-- 4 March 2026 -->",
    "4 March 2026",
    "<time datetime=2026-03-04>",
    "</article>",
    "<article>",
    "<li>",
    "<br>",
    "<p class=byline>By Jo Ray",
    "<div class='share date'>",
    "</div>",
    "<table><td>",
    "<base href=':'>",
    "<link rel=canonical href='//['>",
    "<title>",
    '<script type="application/ld+json">{"@type":["NewsArticle",1],"author":[[null]],"url":"//["}</script>',
    "<b>",
    "&#0;",
    "\x00",
    "<aside>",
    "<![CDATA[",
    "<meta name=date content=0>",
    "<meta http-equiv=refresh content='0;url=//['>",
    "<svg><title>",
    "<body>",
    "<html lang=xx>",
    "<h2>Read more</h2>",
    "word " * 90,
    "<blockquote>",
)
Page = Callable[..., Material]


@pytest.fixture
def page() -> Page:
    def make(
        body: str = "",
        head: str = "",
        lang: str = "en",
        title: str = TITLE,
        url: str = "https://www.tarn-post.example/local/lake",
        **given: object,
    ) -> Material:
        article = "".join(f"<p>{text}</p>" for text in PARAGRAPHS)
        text = (
            f'<!DOCTYPE html><html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title>{head}</head><body>'
            '<header><nav><a href="/">Home</a></nav></header><main><article>'
            f"<h1>{title}</h1>{body or article}</article></main><footer><p>© 2026 Tarn Post</p></footer></body></html>"
        )
        fields = {"hints": Hints(), "headers": (("Content-Type", "text/html; charset=utf-8"),), **given}
        return Material(url=url, status=200, body=text.encode(), fetched_at=NOW, **fields)  # type: ignore[arg-type]

    return make


def article(*extra: str) -> str:
    return "".join(extra) + "".join(f"<p>{text}</p>" for text in PARAGRAPHS)


def read(material: Material) -> Extracted:
    found = extract(material)
    assert isinstance(found, Extracted), found
    return found


def text_of(found: Extracted) -> str:
    return plain(found.blocks[0].value)


def refused(material: Material) -> str:
    found = extract(material)
    assert isinstance(found, Rejection), found
    return found.reason


def test_text_and_title(page: Page) -> None:
    found = read(page())
    assert found.title[0].value == TITLE
    assert tuple(block.text for block in found.blocks[0].value) == PARAGRAPHS
    assert found.published_at == ()
    assert found.language[0].value == "en"


def test_furniture_is_not_text(page: Page) -> None:
    body = (
        f'<p>{PARAGRAPHS[0]}</p><div class="social-share"><a href="#">Share on Chirper</a></div><p>{PARAGRAPHS[1]}</p>'
        '<p><strong>Read more:</strong> <a href="/x">Ducks return to the lake</a></p>'
        '<figure><img src="a.jpg"><figcaption>The lake. Photo: B. Ray</figcaption></figure>'
        f"<h2>{TITLE}</h2><p>{PARAGRAPHS[2]}</p><p>Sign up for our weekly letter about lakes.</p><p>{PARAGRAPHS[3]}</p>"
        '<section class="comments"><p>I swam there in 1970 and it was wonderful.</p></section>'
    )
    assert text_of(read(page(body))) == "\n".join(PARAGRAPHS)


def test_blocks_are_typed(page: Page) -> None:
    body = article() + "<h2>What to bring</h2><ul><li>A towel and shoes</li><li>Some warm tea</li></ul>" + article()
    kinds = {block.kind for block in read(page(body)).blocks[0].value}
    assert {BlockKind.PARAGRAPH, BlockKind.HEADING, BlockKind.LIST} <= kinds


def test_recipe_speaks_first(page: Page) -> None:
    body = article('<div class="lede">A lake opens.<i class="x">!</i></div>', '<b class="who">Jon Reed</b>')
    recipe = Recipe(name="tarn", body=(".lede",), remove=(".x",), authors=(".who",))
    found = read(page(body, head='<meta property="og:type" content="article">', recipe=Recipe(name="none")))
    assert found.blocks[0].source != "recipe:body"
    material = page(
        body.replace("A lake opens.", PARAGRAPHS[0]), head='<meta property="og:type" content="article">', recipe=recipe
    )
    found = read(material)
    assert (found.blocks[0].source, text_of(found)) == ("recipe:body", PARAGRAPHS[0])
    assert found.authors[0].value == ("Jon Reed",)


def test_feed_content_rescues_a_page_without_text(page: Page) -> None:
    hints = Hints(content_html=article())
    found = read(page("<p>Loading, please wait a moment.</p>", hints=hints))
    assert (found.blocks[0].source, text_of(found)) == ("feed:content", "\n".join(PARAGRAPHS))


def test_article_body_of_json_ld_rescues(page: Page) -> None:
    text = "\\n".join(PARAGRAPHS).replace('"', "'")
    node = f'{{"@type":"NewsArticle","headline":"{TITLE}","articleBody":"{text}"}}'
    head = f'<script type="application/ld+json">{node}</script>'
    found = read(page("<p>Loading.</p>", head=head))
    assert (found.blocks[0].source, len(found.blocks[0].value)) == ("jsonld:articleBody", 4)


def test_paywall_is_marked_and_its_offer_no_text(page: Page) -> None:
    head = (
        '<script type="application/ld+json">{"@type":"NewsArticle","isAccessibleForFree":"False","hasPart":'
        '{"isAccessibleForFree":false,"cssSelector":".rest"}}</script>'
    )
    body = f'<p>{PARAGRAPHS[0]}</p><div class="rest"></div><div class="offer"><p>Subscribe now for 2 a week.</p></div>'
    found = read(page(body, head=head))
    assert found.access[0].value is Access.PAYWALL
    assert text_of(found) == PARAGRAPHS[0]


def test_paid_part_that_was_served_is_metered(page: Page) -> None:
    head = (
        '<script type="application/ld+json">{"@type":"NewsArticle","isAccessibleForFree":false,"hasPart":'
        '{"isAccessibleForFree":false,"cssSelector":".rest"}}</script>'
    )
    body = f'<p>{PARAGRAPHS[0]}</p><div class="rest">{article() * 3}</div>'
    assert read(page(body, head=head)).access[0].value is Access.METERED


def test_language_of_the_text_beats_a_template(page: Page) -> None:
    german = (
        "<p>Der alte Baggersee oberhalb von Tarnau wird im Juni geöffnet, beschloss der Gemeinderat am Montag.</p>"
        "<p>Taucher haben den flachen Teil von Schrott befreit, und Freiwillige bauten einen Steg aus Holz.</p>"
        "<p>Am Wochenende wacht eine Rettungsschwimmerin, an den übrigen Tagen baden alle auf eigene Gefahr.</p>"
    )
    assert read(page(german)).language[0].value == "de"


def test_canonical_and_next_page_are_resolved_against_the_base(page: Page) -> None:
    head = (
        '<base href="https://www.tarn-post.example/a/"><link rel="canonical" href="b"><link rel="next" href="b?page=2">'
    )
    found = read(page(head=head))
    assert found.canonical_url[0].value == "https://www.tarn-post.example/a/b"
    assert found.next_page == "https://www.tarn-post.example/a/b?page=2"


TEASERS = "".join(f'<p><a href="/{n}">A story about lake number {n} and its ducks</a></p>' for n in range(9))


@pytest.mark.parametrize(
    ("title", "body", "reason"),
    [
        ("Page not found", "<p>Sorry, this page has moved or does not exist any more.</p>", "soft_404"),
        ("Seite nicht gefunden | Tarn Post", "<p>Die Seite gibt es nicht.</p>", "soft_404"),
        ("404", "<p>Nothing here.</p>", "soft_404"),
        ("Just a moment...", "<p>Checking your browser before you go on.</p>", "blocked_page"),
        ("We value your privacy", "<p>We use cookies, and our partners store them.</p>", "consent_wall"),
        ("Events in 4/2026", "<p>No events this month.</p><a href='/5'>Next month</a>", "not_an_article"),
        ("Local news", TEASERS, "not_an_article"),
    ],
)
def test_pages_that_are_no_article(page: Page, title: str, body: str, reason: str) -> None:
    assert refused(page(body, title=title)) == reason


def test_a_headline_about_missing_pages_is_an_article(page: Page) -> None:
    title = "Page not found: how the web forgets its own history"
    assert read(page(title=title)).title[0].value == title


def test_a_declared_stub_without_text_is_too_short(page: Page) -> None:
    assert refused(page("<p>Soon.</p>", head='<meta property="og:type" content="article">')) == "too_short"


@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [
        ("image/png", b"\x89PNG\r\n\x1a\n\x00\x00", "not_html"),
        ("text/plain", b"\x00\x01\x02" * 99, "not_html"),
        ("text/html", b" ", "empty"),
    ],
)
def test_bodies_that_are_no_page(kind: str, body: bytes, reason: str) -> None:
    headers = (("content-type", kind),)
    assert refused(Material(url="https://a.example/", status=200, headers=headers, body=body, fetched_at=NOW)) == reason


def test_error_status_is_refused(page: Page) -> None:
    material = page()
    failed = Material(url=material.url, status=503, headers=material.headers, body=material.body, fetched_at=NOW)
    assert refused(failed) == "http_error"


def test_plain_text_file() -> None:
    text = f"{TITLE}\n\n{TITLE}\n\n" + "\n\n".join(PARAGRAPHS) + "\n\nRead more"
    material = Material(
        url="file:///lake.txt",
        status=200,
        headers=(("Content-Type", "text/plain"),),
        body=text.encode(),
        fetched_at=NOW,
    )
    found = read(material)
    assert found.title[0].value == TITLE
    assert tuple(block.text for block in found.blocks[0].value) == PARAGRAPHS


@given(markup=st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
@settings(max_examples=30, deadline=None)
def test_no_markup_raises(markup: str) -> None:
    body = (markup + TITLE).encode()
    material = Material(url="https://a.example/x", status=200, headers=HTML, body=body, fetched_at=NOW)
    assert isinstance(extract(material), Extracted | Rejection)


DEEP = 5_000


@pytest.mark.parametrize(
    "body",
    [
        "<div>" * DEEP + article() + "</div>" * DEEP,
        "<b><i>" * DEEP + article(),
        "<ul><li>" * DEEP + article(),
        "<div " + " ".join(f'a{n}="1"' for n in range(100_000)) + ">" + article() + "</div>",
        "<div " + "".join(f'a{n}="1"' for n in range(100_000)) + ">" + article() + "</div>",
        article().replace("lake", "la\x00ke"),
        article().replace("</p>", ""),
        '<script type="application/ld+json">' + "[" * 100_000 + "</script>" + article(),
    ],
    ids=["div", "inline", "list", "attributes", "glued attributes", "nul", "unclosed", "json"],
)
@pytest.mark.timeout(20)
def test_hostile_pages_keep_their_text(page: Page, body: str) -> None:
    text = text_of(read(page(body)))
    assert "Divers have cleared the shallow end" in text
    assert "swim at their own risk" in text
    assert "\x00" not in text
