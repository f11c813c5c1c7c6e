"""Ways that a page names in its markup and its headers: read as a browser reads them."""

import pytest

from tasks.extract.document import parse
from tasks.extract.links import canonical, content_links, next_page, refresh_target

URL = "https://www.gull-rock.example/en/list"


def test_links_are_read_as_a_browser_reads_them() -> None:
    hrefs = [
        "https:///www.gull-rock.example/en/garden",
        "\\en\\lamps",
        "https://",
        "mailto:a@b.example",
        "http://[::bad",
    ]
    page = parse("".join(f'<p><a href="{href}">A story</a></p>' for href in hrefs), url=URL)
    assert content_links(page) == (
        "https://www.gull-rock.example/en/garden",
        "https://www.gull-rock.example/en/lamps",
    )


def test_a_refresh_in_a_template_leads_nowhere() -> None:
    refresh = '<meta http-equiv="refresh" content="0;url=/gone">'
    assert refresh_target(parse(f"<body><template>{refresh}</template><p>Text</p></body>", url=URL)) is None
    assert refresh_target(parse(f"<body><p>Text</p>{refresh}</body>", url=URL)) == "https://www.gull-rock.example/gone"


def test_link_types_are_compared_without_their_case() -> None:
    page = parse('<p>Text</p><a rel="NoFollow Next" href="/en/list/2">more</a>', url=URL)
    assert next_page(page) == "https://www.gull-rock.example/en/list/2"


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ('<https://a.example/b?x=1,2>; title="a, b"; REL="Canonical"', "https://a.example/b?x=1,2"),
        ('</c>; title="rel=next, x"; rel="alternate canonical"', "https://www.gull-rock.example/c"),
        ("</d>;rel=preload, </e>;rel=canonical", "https://www.gull-rock.example/e"),
        ('</f>; title="; rel=canonical"; rel=next', None),
    ],
)
def test_a_link_header_is_taken_apart(header: str, target: str | None) -> None:
    found = canonical(parse("<p>Text</p>", url=URL), None, (("Link", header),))
    assert [one.value for one in found] == ([target] if target else [])
