"""What goes wrong in the newsroom on purpose: addresses that are listed but hold no article, and passing faults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from console.demo.responses import Response


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """A listed address that is not a story's own."""

    site: str
    path: str
    kind: str
    """soft_404, http_404, http_410, redirect_loop; or alias: another way to the story `target`."""
    listing: str
    title: str = ""
    target: str = ""
    """Key of a story (alias), or the path that it redirects to (loop)."""


_LOOP = ("/story/1998/round-and-round", "/story/1997/round-again")

ODDITIES = (
    Oddity(
        site="harbour",
        path="/news/regatta-results-in-full",
        kind="soft_404",
        listing="rss",
        title="Regatta results in full",
    ),
    Oddity(
        site="coast",
        path="/story/1999/mystery-seal-of-gullane-ness",
        kind="http_404",
        listing="json",
        title="Mystery seal of Gullane Ness",
    ),
    Oddity(
        site="valley",
        path="/region/mayor-denies-everything",
        kind="http_410",
        listing="atom",
        title="Mayor denies everything",
    ),
    Oddity(
        site="coast",
        path=_LOOP[0],
        kind="redirect_loop",
        listing="json",
        title="Round and round the bypass",
        target=_LOOP[1],
    ),
    Oddity(site="coast", path=_LOOP[1], kind="redirect_loop", listing="", target=_LOOP[0]),
    Oddity(site="valley", path="/node/4711", kind="alias", listing="atom", target="valley-9"),
    Oddity(site="coast", path="/l/x7Kq2", kind="alias", listing="json", target="valley-1"),
)

_TOO_MANY = (429, (("Retry-After", "1"),))
_UNAVAILABLE = (503, ())
_PASSING: Mapping[str, tuple[int, tuple[tuple[str, str], ...]]] = {"coast-4": _TOO_MANY, "valley-6": _UNAVAILABLE}

PASSING = {key: status for key, (status, _) in _PASSING.items()}
"""Key of a story -> the status that its first request gets."""


class Faults:
    """Counts requests of the stories with a passing fault, so that the first fails and the second succeeds."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def failure(self, key: str) -> Response | None:
        """The failure that this request of a story gets, if any."""
        if key not in _PASSING or self._seen[key]:
            return None
        self._seen[key] += 1
        status, headers = _PASSING[key]
        return Response(
            status=status, body=b"Try again soon.\n", content_type="text/plain; charset=utf-8", headers=headers
        )
