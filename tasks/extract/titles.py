"""Headlines: what a page calls its article, with the site's name, the section and the kicker taken off."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

from storage.records import Finding
from tasks.extract import jsonld
from tasks.extract.document import Document, text_of
from tasks.extract.lexicon import fold, lexicon, squash
from tasks.extract.meta import trusted_names, values

_SEPARATOR = re.compile(r"\s+[-–—|·•»«:/~]+\s+|\s*[|｜»]\s*|\s+::\s+|\s*_\s*(?=[^\s_]+$)|\s[<>]\s")
_KICKER = re.compile(
    r"(?:^|[\s_-])(?:kicker|overline|topline|roofline|eyebrow|label|tag|badge|category|section|dachzeile|visuallyhidden|sr-only)(?:$|[\s_-])",
    re.IGNORECASE,
)
_MOST_HEADINGS = 5


def find_titles(
    document: Document, node: dict[str, Any] | None, hint: str | None, recipe: Iterable[str]
) -> tuple[Finding[str], ...]:
    """All that may be the title, best first: what several places agree on is believed most."""
    sites = site_names(document, node)
    listed = [("recipe:title", text, 1.0) for text in recipe]
    listed += [("jsonld:headline", text, 0.85) for text in jsonld.strings((node or {}).get("headline"))[:1]]
    listed += [("dom:h1", text, 0.86) for text in headings(document)[:3]]
    listed += [
        (f"meta:{name}", text, trust)
        for name, trust in trusted_names("title")
        for _, text in values(document.meta, (name,))[:1]
    ]
    listed += [("dom:title", text, 0.7) for text in _title_element(document)]
    listed += [("feed:title", hint, 0.6)] if hint else []
    found: list[Finding[str]] = []
    for source, raw, trust in listed:
        value = without_site(squash(jsonld.plain(raw)), sites)
        if (
            value
            and fold(value) not in sites
            and not any((value, source) == (other.value, other.source) for other in found)
        ):
            found.append(Finding(value=value, source=source, raw=raw, confidence=trust))
    return _ranked(found)


def headings(document: Document) -> list[str]:
    """The texts of the h1 elements, those inside the article or main element first, kickers left out."""
    tree = document.tree
    inside = tree.xpath(
        "//article//h1[not(ancestor::aside)] | //main//h1[not(ancestor::aside)] | //h1[@itemprop='headline']"
    )
    first = set(inside)
    everywhere = [heading for heading in tree.iter("h1") if heading not in first]
    return [text for heading in [*inside, *everywhere][:_MOST_HEADINGS] if (text := _without_kicker(heading))]


def above_headline(document: Document) -> list[str]:
    """Short lines that stand before the headline in the page: its masthead, a kicker, a breadcrumb; never body text."""
    first = next(iter(document.tree.iter("h1")), None)
    lines: list[str] = []
    if first is None:
        return lines
    for element in document.tree.iter("p", "div", "span", "strong", "a", "h1"):
        if element is first or len(lines) >= _MOST_ABOVE:
            break
        text = (element.text or "").strip()
        if 1 < len(text) < _LONGEST_ABOVE and not text.endswith((".", "!", "?", "。")):
            lines.append(text)
    return lines


def site_names(document: Document, node: dict[str, Any] | None) -> frozenset[str]:
    """Folded names of the site, from Open Graph, the publisher's node, the title's repeated part and the host."""
    names = [
        text
        for _, text in values(
            document.meta,
            ("og:site_name", "application-name", "apple-mobile-web-app-title", "publisher", "twitter:site"),
        )
    ]
    names += jsonld.strings((node or {}).get("publisher"))
    names += [
        text for other in document.jsonld if jsonld.types(other) & _SITES for text in jsonld.strings(other.get("name"))
    ]
    host = (urlsplit(document.url).hostname or "").removeprefix("www.")
    labels = host.split(".")
    names += [host, labels[0], " ".join(labels[:1]).replace("-", " "), *labels[-2:-1]]
    return frozenset(name for text in names if 1 < len(name := fold(text).lstrip("@")) < 60)


_MOST_ABOVE, _LONGEST_ABOVE = 200, 80
_SITES = {"WebSite", "NewsMediaOrganization", "Organization"}


def without_site(title: str, sites: frozenset[str]) -> str:
    """Take the site's name, and what stands between it and the headline as a section, off either end."""
    cuts = list(_SEPARATOR.finditer(title))
    bare = {_bare(site) for site in sites}
    for cut in cuts:
        head, tail = title[: cut.start()], title[cut.end() :]
        last = re.split(_SEPARATOR, tail)[-1]
        if (_bare(tail) in bare or _bare(last) in bare) and len(head) > 2:
            return _cut_tail(title, cuts, bare)
    if cuts and _bare(title[: cuts[0].start()]) in bare:
        return title[cuts[0].end() :].strip()
    return title


def _cut_tail(title: str, cuts: Sequence[re.Match[str]], bare: set[str]) -> str:
    """Cut before the site's name, and before one short section name in front of it where a headline remains."""
    at = len(cuts) - 1
    while at > 0 and _bare(title[cuts[at].end() :]) not in bare and _bare(title[cuts[at - 1].end() :]) in bare:
        at -= 1
    head = title[: cuts[at].start()].strip()
    # "Headline - Section | Site": two kinds of separators, and the middle part is one or two words.
    if at > 0 and cuts[at - 1][0].strip() != cuts[at][0].strip():
        middle, before = title[cuts[at - 1].end() : cuts[at].start()], title[: cuts[at - 1].start()].strip()
        if len(middle.split()) <= 2 and len(before.split()) >= 4:
            return before
    return head


def _bare(text: str) -> str:
    return re.sub(r"[\W_]+|^the\b", "", fold(text))


def _title_element(document: Document) -> list[str]:
    found = document.tree.xpath("//head/title") or document.tree.xpath("//title[not(ancestor::svg)]")
    return [text for element in found[:1] if (text := squash(element.text_content()))]


def _without_kicker(heading: Any) -> str:
    text = squash(text_of(heading))
    for child in heading.iter():
        if child is not heading and isinstance(child.tag, str) and _KICKER.search(child.get("class") or ""):
            kicker = squash(text_of(child))
            if kicker and text.startswith(kicker) and len(text) > len(kicker) + 10:
                text = text[len(kicker) :].lstrip(" :|–-·")
    return text


def _ranked(found: Sequence[Finding[str]]) -> tuple[Finding[str], ...]:
    """Best first; each further place that says the same adds to the confidence, as does a title that it begins."""
    folded = [fold(finding.value) for finding in found]
    scored = []
    for finding, own in zip(found, folded, strict=True):
        agreed = sum(own == other for other in folded) - 1
        contained = sum(own != other and (other.startswith(own) or other.endswith(own)) for other in folded)
        # A site's slogan or a section's name as h1 agrees with nothing.
        lonely = 0.25 if finding.source == "dom:h1" and not agreed and not contained else 0.0
        cut = (
            0.2
            if own.endswith(("...", "…"))
            and any(other.startswith(own.rstrip(".… ")) and other != own for other in folded)
            else 0.0
        )
        trust = finding.confidence + 0.04 * min(agreed, 3) + 0.02 * min(contained, 2) - lonely - cut
        scored.append(
            Finding(
                value=finding.value,
                source=finding.source,
                raw=finding.raw,
                confidence=round(max(0.05, min(1.0, trust)), 2),
            )
        )
    scored.sort(key=lambda finding: -finding.confidence)
    return tuple(scored)


def is_listing_title(title: str) -> bool:
    """Whether a headline is only a fixed phrase of an empty list ("no results")."""
    return bool(lexicon().listing.fullmatch(fold(title)))
