"""How much of an article a page gives away, and by what that is known."""

import pytest

from storage.records import Access
from tasks.extract.access import find_access
from tasks.extract.document import parse

_WORDS = "The harbour board met on Monday and agreed to move the ferry. "
_EMPTY = parse("<body></body>", "https://a.example/1")


@pytest.mark.parametrize(
    ("node", "text", "state", "source"),
    [
        ({"wordCount": "640"}, _WORDS * 5, Access.PARTIAL, "jsonld:wordCount"),
        ({}, _WORDS + "The board will publish its reasons in", None, None),
        ({}, _WORDS + "The board will publish its reasons in…", Access.PARTIAL, "text:ellipsis"),
        ({}, _WORDS + "The board will publish [...]", Access.PARTIAL, "text:ellipsis"),
        (
            {},
            "We value your privacy. Our partners store and/or access information on a device.",
            Access.CONSENT,
            "text:consent",
        ),
        ({"wordCount": 60}, _WORDS * 5, None, None),
        ({"wordCount": {"@value": "many"}}, _WORDS, None, None),
        ({}, _WORDS * 40 + "And then…", None, None),
        ({"wordCount": 640, "isAccessibleForFree": "False"}, _WORDS * 5, Access.PAYWALL, "jsonld:isAccessibleForFree"),
    ],
)  # fmt: skip
def test_state_and_evidence(node: dict[str, object], text: str, state: Access | None, source: str | None) -> None:
    best = next(iter(find_access(_EMPTY, node, text)), None)
    assert (best and best.value, best and best.source) == (state, source)
    assert best is None or best.raw
