"""Finds the agency that an article is credited to, whether it is the agency's own, and the original it declares."""

import re
from functools import cache

from crawler.urls import canonical_key
from storage.records import Clean
from tasks.phrases import phrases
from tasks.words import fold

OWN, UNCREDITED, COPY = 0, 1, 2
"""How well an article stands for its cluster: the credited source itself, one without a credit, a credited copy."""

# "(Reuters) -", "LONDON (AP) --", "BERLIN (dpa/lsw) –": the credit stands in brackets before a dash, near the start.
_OPENING = re.compile(r"^[^()\n]{0,60}\(([^()\n]{2,40})\)\s*[-\u2010-\u2015:]")
# A line of its own at the end: "Source: AFP", "Quelle: dpa", "– Reuters", "(AP)"
_CLOSING = re.compile(
    r"^(?:source|quelle|fuente|fonte|bron|źródło)\s*:\s*(.{2,40})$|^\(([^()]{2,40})\)$", re.IGNORECASE
)
_PARTS = re.compile(r"\s*[/,&+]\s*|\s+and\s+|\s+und\s+")


def credited(clean: Clean) -> tuple[str | None, int]:
    """The agency named by the text's first or last line or by the byline, as written there; and the standing."""
    found = next(filter(None, map(_agency, _claims(clean))), None)
    publisher = _agency(clean.publisher or "")
    if publisher is not None:
        return found, OWN if found is None or fold(found) == fold(publisher) else COPY
    return found, UNCREDITED if found is None else COPY


def original(clean: Clean) -> str | None:
    """The address on another site, as a canonical key, that the page declares to be its canonical one (RFC 6596)."""
    said = clean.provenance.get("syndicated_from")
    if said is None:
        return None
    try:
        return canonical_key(said.raw, clean.url)
    except ValueError:
        return None


def _claims(clean: Clean) -> list[str]:
    lines = [line.strip() for line in clean.text.splitlines() if line.strip()]
    opening = _OPENING.match(lines[0]) if lines else None
    closing = _CLOSING.match(lines[-1]) if lines else None
    claims = [opening.group(1) if opening else "", (closing.group(1) or closing.group(2)) if closing else ""]
    return [*claims, *clean.authors, clean.credit or ""]


def _agency(claim: str) -> str | None:
    """The part of a claim that is an agency's name: of "Reuters/Jane Doe" and "dpa, AFP" the first."""
    return next((part for part in _PARTS.split(claim.strip()) if fold(part) in _agencies()), None)


@cache
def _agencies() -> frozenset[str]:
    return frozenset(phrases("wires"))
