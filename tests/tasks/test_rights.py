import pytest

from storage.records import Headers
from tasks.extract.rights import reservations


def told(headers: Headers = (), **meta: str) -> str | None:
    found = reservations(headers, {name.replace("_", "-"): (value,) for name, value in meta.items()})
    return found[0].value if found else None


@pytest.mark.parametrize(
    ("header", "value", "reserved"),
    [
        ("TDM-Reservation", "1", "reserved"),
        ("tdm-reservation", "0", "open"),
        ("tdm-reservation", "yes", None),
        ("X-Robots-Tag", "noindex, nofollow", "noindex"),
        ("X-Robots-Tag", "none", "noindex"),
        ("X-Robots-Tag", "NOAI, noimageai", "noai, noimageai"),
        ("X-Robots-Tag", "otherbot: noindex", None),
        ("X-Robots-Tag", "copydesk: nosnippet", "nosnippet"),
        ("X-Robots-Tag", "unavailable_after: 25 Jun 2030 15:00:00 GMT", None),
        ("X-Robots-Tag", "max-snippet: 20", None),
        ("X-Robots-Tag", "all", None),
    ],
)
def test_headers_reserve(header: str, value: str, reserved: str | None) -> None:
    assert told(((header, value),)) == reserved


def test_markup_reserves() -> None:
    assert told(robots="noindex, noarchive") == "noindex, noarchive"
    assert told(tdm_reservation="1") == "reserved"
    assert told(googlebot="noindex") is None


def test_all_that_is_said_is_told_with_where_it_stands() -> None:
    headers = (("tdm-reservation", "1"), ("x-robots-tag", "noai"))
    (found,) = reservations(headers, {"robots": ("noindex",), "tdm-reservation": ("0",)})
    assert found.value == "reserved, noai, noindex"
    assert found.source == "header:tdm-reservation; header:x-robots-tag; meta:robots"
    assert found.raw == "1; noai; noindex"


def test_silence_is_no_statement() -> None:
    assert told() is None
