from datetime import UTC, datetime, timedelta

import pytest

from crawler.answers import Answer, failure, is_text, retry_after

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def answer(status: int = 200, body: bytes = b"", **headers: str) -> Answer:
    lines = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Answer(url="https://a.example/news/x?y=1", status=status, headers=lines, body=body, at=NOW)


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/b", "https://a.example/b"),
        ("b", "https://a.example/news/b"),
        ("//b.example/c#part", "https://b.example/c"),
        ("file:///etc/hostname", "file:///etc/hostname"),
        (" https://b.example/ ", "https://b.example/"),
        ("http://[::bad", None),
        ("", None),
    ],
)
def test_a_redirect_leads_where_its_location_says(location: str, target: str | None) -> None:
    assert answer(302, Location=location).target() == target


def test_only_a_redirect_has_a_target() -> None:
    assert answer(200, Location="/b").target() is None
    assert answer(304, Location="/b").target() is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("120", 120),
        ("99999999", 86_400),
        ("Tue, 10 Mar 2026 12:05:00 GMT", 300),
        ("Tue, 10 Mar 2026 11:00:00 GMT", 0),
        ("soon", None),
        ("-3", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: int | None) -> None:
    assert retry_after(value, NOW) == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(("status", "code"), [(200, None), (203, None), (204, "http_204"), (404, "http_404")])
def test_what_is_no_success_has_a_code(status: int, code: str | None) -> None:
    assert failure(answer(status)) == code


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        ("text/html; charset=utf-8", b"", True),
        ("Application/XHTML+XML", b"", True),
        ("image/svg+xml", b"<svg>", False),
        ("image/jpeg", b"", False),
        ("application/pdf", b"%PDF", False),
        ("", b"\xef\xbb\xbf\n <!doctype html>", True),
        ("application/octet-stream", b"\x89PNG", False),
    ],
)
def test_a_page_is_text(kind: str, body: bytes, text: bool) -> None:
    assert is_text(answer(body=body, Content_Type=kind)) is text
