"""The addresses that a page names: a canonical one that can be believed, and the part before or after it."""

from __future__ import annotations

import pytest

from storage.records import Finding
from tasks.extract.document import parse
from tasks.extract.links import canonical, next_page, previous_page, refresh_target
from tasks.identity import identify

PAGE = "https://www.tarnpost.example/local/lake"


def filed_under(declared: str, page: str = PAGE) -> str:
    return identify(page, [Finding(value=declared, source="link:canonical", raw=declared, confidence=0.9)]).url


@pytest.mark.parametrize(
    "home",
    [
        "https://www.tarnpost.example/index.html",
        "https://www.tarnpost.example/home",
        "https://www.tarnpost.example/en/",
        "https://www.tarnpost.example/pt-br",
        "https://www.tarnpost.example/?lang=ja",
        "https://www.tarnpost.example/en/?hl=en",
    ],
)
def test_a_home_page_by_another_name_is_no_canonical_address(home: str) -> None:
    assert filed_under(home) == PAGE


@pytest.mark.parametrize("last", ["undefined", "null", "{{slug}}", "%7B%7Bslug%7D%7D", "${path}"])
def test_an_address_that_a_template_did_not_fill_in_is_no_canonical_one(last: str) -> None:
    assert filed_under(f"https://www.tarnpost.example/local/{last}") == PAGE


@pytest.mark.parametrize(
    "good",
    [
        "https://www.tarnpost.example/lake",
        "https://www.tarnpost.example/?p=31",
        "https://www.tarnpost.example/en/lake",
        "https://www.tarnpost.example/null-and-void",
    ],
)
def test_an_articles_address_is_believed(good: str) -> None:
    assert filed_under(good) == good


def test_the_home_page_itself_keeps_its_address() -> None:
    assert filed_under("https://www.tarnpost.example/en", "https://www.tarnpost.example/en") == (
        "https://www.tarnpost.example/en"
    )


@pytest.mark.parametrize(
    "value",
    [
        '<https://www.tarnpost.example/lake>; rel="canonical"',
        "<https://cdn.example/a.css>; rel=preload; as=style, <https://www.tarnpost.example/lake>; rel=canonical",
        '</lake>; type="text/html"; rel="Canonical"',
    ],
)
def test_the_link_header_of_a_response(value: str) -> None:
    found = canonical(parse("<p>Lake</p>", PAGE), None, (("link", value),))
    assert [finding.value for finding in found] == ["https://www.tarnpost.example/lake"]
    assert canonical(parse("<p>Lake</p>", PAGE), None, (("link", "</a.css>; rel=preload"),)) == ()


@pytest.mark.parametrize(
    "words", ["Next page »", "Nächste Seite", "下一页", "次のページへ", "Página siguiente ›", "[Sonraki sayfa]"]
)
def test_a_link_that_says_next_page_and_nothing_else(words: str) -> None:
    page = parse(f"<p><a href='/local/other'>Next story</a> <a href='?page=2'>{words}</a></p>", PAGE)
    assert (next_page(page), previous_page(page)) == (f"{PAGE}?page=2", None)
    assert next_page(parse(f"<p><a href='?page=2'>{words}: the bridge</a></p>", PAGE)) is None


def test_the_row_of_numbers_that_wordpress_prints() -> None:
    row = (
        f"<a href='{PAGE}/' class='post-page-numbers'>1</a><span class='post-page-numbers current'>2</span>"
        f"<a href='{PAGE}/3/' class='post-page-numbers'>3</a>"
    )
    page = parse(f"<div class='page-links'>Pages: {row}</div>", f"{PAGE}/2/")
    assert (next_page(page), previous_page(page)) == (f"{PAGE}/3/", f"{PAGE}/")


@pytest.mark.parametrize("value", ["0; url=/lake", "5;URL='/lake'", "0, /lake"])
def test_the_refresh_header_of_a_response(value: str) -> None:
    page = parse("<p>One moment</p>", PAGE)
    assert refresh_target(page, (("Refresh", value),)) == "https://www.tarnpost.example/lake"
    assert refresh_target(page, (("Refresh", "300; url=/lake"),)) is None
    assert refresh_target(page, (("Refresh", "5"),)) is None
