"""Headlines: what a page calls its article, with the site's name, the section and the kicker taken off."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import replace
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from storage.records import Finding
from tasks.extract import jsonld
from tasks.extract.document import Document, text_of
from tasks.extract.headline import find_headline, overlap
from tasks.extract.lexicon import fold, lexicon, squash
from tasks.extract.meta import trusted_names, values

_SEPARATOR = re.compile(
    r"(?<=[\u3000-\u9fff\uff00-\uffef])\s*[-–—_－]\s*(?=[^\s-]{2,10}$)|\s+»\s*|\s+[-–—|·•»«:/~]+\s+|\s*[|｜ㅣ]\s*|\s+::\s+|\s*_\s*(?=[^\s_]+$)|\s[<>]\s"
)
_KICKER = re.compile(
    r"(?:^|[\s_-])(?:kicker|overline|topline|roofline|eyebrow|label|tag|badge|category|section|dachzeile|visuallyhidden|sr-only)(?:$|[\s_-])",
    re.IGNORECASE,
)
_LOGO = re.compile(
    r"(?:^|[\s_-])(?:logo|brand|blog-title|site-?title|sitename|site-name|masthead)(?:$|[\s_-])", re.IGNORECASE
)
_HOME = re.compile(r"(?:https?://[^/]+)?/?(?:index\.\w+)?", re.IGNORECASE)
_COLON = re.compile(r"[^:/|]{2,60}(?::| /) ")
_COUNT = re.compile(r"[(\[]?\d+[)\]]?")
_HANDED_OUT = ("jsonld:headline", "meta:og:title")
_PERMALINK = re.compile(r"\s*[¶#§]+$")
_MOST_HEADINGS, _MOST_LOOKED_AT, _MOST_CHILDREN = 5, 100, 30
_LONGEST = 1_000
"""Characters above which a title is no title, and not worth taking apart."""


def find_titles(
    document: Document, node: dict[str, Any] | None, hint: str | None, recipe: Iterable[str]
) -> tuple[Finding[str], ...]:
    """All that may be the title, best first: what several places agree on is believed most."""
    sites = site_names(document, node)
    listed = [("recipe:title", text, 1.0) for text in recipe]
    listed += [("jsonld:headline", text, 0.85) for text in jsonld.strings((node or {}).get("headline"))[:1]]
    listed += _shown(document, listed)
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
    if not found:
        # Better the site's name than nothing: a page's only title is what its readers see.
        found = [_bare_title(raw) for raw in _title_element(document)]
    if len({finding.source for finding in found}) == 1 and found[0].source == "dom:title":
        found = [replace(found[0], value=_without_tail(_without_colon(found[0].value, sites), found[0].raw))]
    return _ranked(found, _sole_heading(document))


def _sole_heading(document: Document) -> str:
    """The folded text of the only h1 in an article, if it is long enough to be a headline; else empty."""
    inside = [e for e in document.elements.tagged("h1")[:_MOST_LOOKED_AT] if _is_inside(e) and not _is_logo(e)]
    text = fold(_without_kicker(inside[0])) if len(inside) == 1 else ""
    return text if len(text.split()) > _FEWEST_WORDS else ""


def _without_tail(title: str, raw: str) -> str:
    """A page's only title without its last part, where that is short as a site's name is, and a headline remains."""
    cuts = list(_SEPARATOR.finditer(title))
    head, tail = (title[: cuts[-1].start()], title[cuts[-1].end() :]) if cuts else (title, "")
    if _UNSPACED.search(tail):  # what is left behind a site's name that went already is a section, or part of it
        return _without_wide_tail(title, cuts) if len(title) == len(squash(raw)) else title
    return head if tail and len(tail.split()) <= _MOST_SITE_WORDS and len(head.split()) >= _FEWEST_WORDS else title


def _without_wide_tail(title: str, cuts: Sequence[re.Match[str]]) -> str:
    """The same in a script without spaces, where parts are told by their length, and a section may stand there too."""
    for cut in [*cuts][-2:]:
        head, tails = title[: cut.start()], _SEPARATOR.split(title[cut.end() :])
        if len(head) >= _FEWEST_WIDE and all(0 < len(tail) <= _MOST_WIDE for tail in tails):
            return head
    return title


def _bare_title(raw: str) -> Finding[str]:
    return Finding(value=squash(jsonld.plain(raw)), source="dom:title", raw=raw, confidence=0.3)


def _shown(document: Document, declared: Sequence[tuple[str, str, float]]) -> list[tuple[str, str, float]]:
    """The heading that says what the page declares its title to be, then other h1 elements that are no logo."""
    titles = [raw for _, raw, _ in declared]
    titles += [text for _, text in values(document.meta, ("og:title", "twitter:title"))] + _title_element(document)
    best = find_headline(document, titles).element
    first = (
        [(f"dom:{best.tag}", _without_kicker(best), 0.98 if best.tag == "h1" else 0.93)]
        if best is not None and not _is_logo(best)
        else []
    )
    return first + [("dom:h1", text, 0.6) for text in headings(document)[:3]]


def headings(document: Document) -> list[str]:
    """The texts of the h1 elements, those inside the article or main element first, kickers left out."""
    all_headings = document.elements.tagged("h1")
    inside = [heading for heading in all_headings[:_MOST_LOOKED_AT] if _is_inside(heading)]
    first = set(inside)
    everywhere = [heading for heading in all_headings if heading not in first]
    listed = [heading for heading in [*inside, *everywhere][:_MOST_HEADINGS] if not _is_logo(heading)]
    return [text for heading in listed if (text := _without_kicker(heading))]


def _is_inside(heading: Any) -> bool:
    """Whether a heading stands in the article or the main element and in no aside, or is marked as the headline."""
    around = {parent.tag for parent in heading.iterancestors()}
    return heading.get("itemprop") == "headline" or (
        "aside" not in around and not around.isdisjoint(("article", "main"))
    )


def _is_logo(heading: Any) -> bool:
    """Whether a heading is the site's name: all of it links the home page, or its template says so."""
    if _LOGO.search(f"{heading.get('class') or ''} {heading.get('id') or ''}"):
        return True
    link = next(heading.iter("a"), None)
    return link is not None and bool(_HOME.fullmatch(link.get("href") or "")) and text_of(link) == text_of(heading)


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
    # a line that heads a section too is an entry of a table of contents
    heads = {fold(heading.text_content()) for heading in document.tree.iter("h2", "h3", "h4")}
    return [line for line in lines if fold(line) not in heads]


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
    names += [host, labels[0], " ".join(labels[:1]).replace("-", " "), *labels[-2:-1], ".".join(labels[-2:])]
    names += _named_by_host(_title_element(document), labels)
    return frozenset(name for text in names if 1 < len(name := fold(text).lstrip("@")) < 60)


def _named_by_host(titles: Sequence[str], labels: Sequence[str]) -> list[str]:
    """The outer part of the page's title that reads like its host's name: "Example Post Online" of examplepost.com."""
    label = max(labels[:-1], key=len, default="").replace("-", "")
    parts = [part for title in titles for part in _SEPARATOR.split(title)]
    # A headline may hold the name as well: where headlines stand, a name is hardly longer than its host.
    outer = [(parts[-1], 3.0), (parts[0], 1.5)] if len(parts) > 1 else []
    return [part for part, most in outer if _like_host(_bare(part), label, most) or part.endswith(_PRESS)]


def _like_host(bare: str, label: str, most: float) -> bool:
    if min(len(bare), len(label)) < _SHORTEST_NAME:
        return False
    return len(bare) <= most * len(label) and (label in bare or bare in label or bare[:6] == label[:6])


_SHORTEST_NAME = 4
_PRESS = ("网", "網", "新闻", "新聞", "ニュース", "日报", "日報")
"""Chinese and Japanese words for news sites, with which their names end."""
_MOST_ABOVE, _LONGEST_ABOVE = 200, 80
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_FEWEST_WIDE, _MOST_WIDE = 10, 8
"""Characters of a headline and of a name behind it in scripts that write a word in one or two."""
_LONG = 15
"""Characters from which a title can stand without what follows a separator."""
_ALIKE = 0.3
_MOST_SITE_WORDS, _MOST_LABEL_WORDS, _FEWEST_WORDS = 4, 2, 4
_QUOTES = "\"'”“»« "
_SHORTEST_KICKER = 6
"""Characters; fewer are an article ("The")."""
_SITES = {"WebSite", "NewsMediaOrganization", "Organization"}


def without_site(title: str, sites: frozenset[str]) -> str:
    """Take the site's name, and what stands between it and the headline as a section, off either end."""
    if len(title) > _LONGEST:
        return title
    return _without_ends(title, {_bare(site) for site in sites})


def _without_colon(title: str, sites: frozenset[str]) -> str:
    """A page's only title without the site's name and a colon before it, as blogs' templates write it."""
    site, colon, headline = title.partition(": ")
    own = colon and len(headline.split()) > 1 and _bare(site) in {_bare(name) for name in sites}
    return headline.strip() if own else title


def _without_ends(title: str, bare: set[str]) -> str:
    cuts = list(_SEPARATOR.finditer(title))
    for cut in cuts:
        head, tail = title[: cut.start()], title[cut.end() :]
        last = re.split(_SEPARATOR, tail)[-1]
        if (_bare(tail) in bare or _bare(last) in bare) and len(head) > 2:
            return _without_ends(_cut_tail(title, cuts, bare), bare)
    if cuts and _bare(title[: cuts[0].start()]) in bare:
        # "Site » Blog Archive » Headline": what stands between two of the same mark is a section.
        last = cuts[-1] if cuts[0][0].strip() == cuts[-1][0].strip() == "»" else cuts[0]
        return title[last.end() :].strip()
    return _without_label(title, cuts)


def _without_label(title: str, cuts: Sequence[re.Match[str]]) -> str:
    """A headline without the word or two after a bar that say what kind of text it is: "| Opinion"."""
    if not cuts or cuts[-1][0].strip() != "|":
        return title
    head, tail = title[: cuts[-1].start()].strip(), title[cuts[-1].end() :]
    return head if len(tail.split()) <= _MOST_LABEL_WORDS and len(head.split()) > _FEWEST_WORDS else title


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
    """The text of the title element; of one outside the head, which broken markup leaves, where there is no other."""
    if text := squash(document.title):
        return [text]
    others = (e for e in document.elements.tagged("title") if next(e.iterancestors("svg"), None) is None)
    return [text for element in islice(others, 1) if (text := squash(element.text_content()))]


def _without_ruby(heading: Any) -> str:
    """The text of a heading without the readings that stand above its characters (HTML: ruby)."""
    plain = deepcopy(heading)
    etree.strip_elements(plain, "rt", "rp", "rtc", with_tail=False)
    return "".join(plain.itertext())


def _without_kicker(heading: Any) -> str:
    text = _PERMALINK.sub("", squash(text_of(heading) if heading.find(".//rt") is None else _without_ruby(heading)))
    for child in islice(heading.iter(), _MOST_CHILDREN):
        if child is not heading and isinstance(child.tag, str) and _KICKER.search(child.get("class") or ""):
            kicker = squash(text_of(child))
            if kicker and text.startswith(kicker) and len(text) > len(kicker) + 10:
                text = text[len(kicker) :].lstrip(" :|–-·")
    return _without_count(heading, text)


def _without_count(heading: Any, text: str) -> str:
    """A headline without the number of comments behind it, which links to them."""
    link = next(heading.iterchildren("a", reversed=True), None)
    count = squash(text_of(link)) if link is not None and (link.get("href") or "").startswith("#") else ""
    return text.removesuffix(count).rstrip() if _COUNT.fullmatch(count) else text


def _ranked(found: Sequence[Finding[str]], sole: str = "") -> tuple[Finding[str], ...]:
    """Best first; each further place that says the same adds to the confidence, as does a title that it begins."""
    folded = [fold(finding.value) for finding in found]
    scored = []
    for finding, own in zip(found, folded, strict=True):
        others = [other for other in folded if other != own]
        agreed = len(folded) - len(others) - 1
        contained = sum(other.startswith(own) or other.endswith(own) for other in others)
        trust = (
            finding.confidence
            + 0.04 * min(agreed, 3)
            + 0.02 * min(contained, 2)
            - _doubt(finding, own, others, agreed, sole)
        )
        scored.append(replace(finding, confidence=round(max(0.05, min(1.0, trust)), 2)))
    scored.sort(key=lambda finding: -finding.confidence)
    return tuple(_with_kicker(scored))


def _with_kicker(scored: list[Finding[str]]) -> list[Finding[str]]:
    """The kicker stays on a headline that the page hands out with it everywhere ("Kenya: Nairobi from below")."""
    best = fold(scored[0].value) if scored else ""
    long = [f for f in scored if f.source in _HANDED_OUT and _is_kicker(fold(f.value).removesuffix(best), best)]
    if len({finding.source for finding in long}) < len(_HANDED_OUT) or len({fold(f.value) for f in long}) > 1:
        return scored
    first = replace(long[0], confidence=scored[0].confidence)
    return [first, *(finding for finding in scored if finding is not long[0])]


def _is_kicker(start: str, headline: str) -> bool:
    return bool(headline) and bool(_COLON.fullmatch(start))


def _doubt(finding: Finding[str], own: str, others: Sequence[str], agreed: int, sole: str) -> float:
    """What speaks against a title: being cut off, trailing what another place leaves out, being unlike all others."""
    doubt = 0.0
    stem = own.rstrip(".… ")
    if any(other.startswith((f'{own} "', f"{own} “")) for other in others):
        doubt += 0.3  # an attribute that ended at a quotation mark
    if own.endswith(("...", "…")) and any(other.startswith(stem) for other in others):
        doubt += 0.3
    if any(len(o) >= _LONG and own.startswith(o) and _SEPARATOR.match(own[len(o) :]) for o in others):
        doubt += 0.1
    if any(
        len(o) >= _LONG and _ends_with(own, o) and len(own) - len(o) >= _SHORTEST_KICKER for o in others
    ) and finding.source.startswith("dom:h"):
        doubt += 0.2  # a kicker in one element with the headline
    if (
        own != sole
        and finding.source.startswith("dom:h")
        and not agreed
        and others
        and max(overlap(own, o) for o in others) < _ALIKE
    ):
        doubt += 0.3  # a site's slogan or a section's name
    return doubt


def _ends_with(text: str, headline: str) -> bool:
    """Whether a text says a headline last, in quotation marks or without."""
    return text.rstrip(_QUOTES).endswith(
        (f" {headline}".rstrip(_QUOTES), f'"{headline}', f"„{headline}", f"“{headline}")
    )


def is_listing_title(title: str) -> bool:
    """Whether a headline is only a fixed phrase of an empty list ("no results")."""
    return bool(lexicon().listing.fullmatch(fold(title)))
