"""A copy of a page's tree without its furniture: navigation, share tools, related links, captions, consent."""

from __future__ import annotations

import re
from copy import deepcopy
from functools import lru_cache
from typing import Any

from tasks.extract.document import INLINE, text_of
from tasks.extract.lexicon import fold, lexicon

_TAGS = [
    "script",
    "style",
    "noscript",
    "template",
    "nav",
    "footer",
    "figcaption",
    "form",
    "button",
    "dialog",
    "svg",
    "iframe",
    "input",
    "select",
    "object",
    "embed",
    "video",
    "audio",
    "canvas",
    "aside",
]
_ROLES = frozenset(
    (
        "dialog",
        "alertdialog",
        "navigation",
        "complementary",
        "contentinfo",
        "banner",
        "search",
        "menu",
        "toolbar",
        "tablist",
        "alert",
    )
)
STRONG = frozenset(
    [
        "comments",
        "comment",
        "disqus",
        "commentlist",
        "discussion",
        "related",
        "recommended",
        "recommendations",
        "mostread",
        "popular",
        "trending",
        "sidebar",
        "cookie",
        "consent",
        "newsletter",
        "outbrain",
        "taboola",
    ]
)
_KEPT = frozenset(("html", "body", "main", "article", "h1"))
_PARTS = re.compile(r"[^a-z0-9]+")
_STATE = re.compile(
    r"(?:^|[-_])(?:has|no|with|without|is|enabled?|disabled?|true|false|layout)(?:[-_]|$)", re.IGNORECASE
)
"""A name that says how an element's surroundings are ("has-sidebar"), not what the element is."""
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NEVER_TEXT = frozenset(("script", "style", "noscript", "template", "svg"))
_BRIEF = 600
"""Characters of an element with a doubtful name above which it is text."""
_LEAST_LEFT = 0.4
_MOST = 0.3
"""Share of the page's paragraph text above which an element is the article itself, whatever it is called."""


def pruned(tree: Any) -> Any:
    """Copy the tree and take out what by its tag, role, class or words is not the article's text."""
    copy = _without_tags(deepcopy(tree))
    total = _paragraph_text(copy)
    for element in copy.xpath("//*[@class or @id or @role or @hidden]"):
        if element.tag not in _KEPT and _belongs(element, copy) and _is_furniture(element, max(1, total)):
            _drop(element)
    if total > 500 and _paragraph_text(copy) < total * _LEAST_LEFT:
        # The page's own text stands in elements with such names: leave it to the voices' own judgement.
        copy = _without_tags(deepcopy(tree))
    for element in copy.xpath("//p | //li | //h2 | //h3 | //h4 | //div[strong and not(p)]"):
        if _is_pointer(element):
            _drop(element)
    return copy


def _without_tags(tree: Any) -> Any:
    total = max(1, _paragraph_text(tree))
    for element in list(tree.iter(*_TAGS)):
        if element.tag in _NEVER_TEXT or (_belongs(element, tree) and _paragraph_text(element) < total * _MOST):
            _drop(element)
    return tree


def _belongs(element: Any, root: Any) -> bool:
    """Whether an element still hangs in the tree, and was not taken out with one around it."""
    return element.getroottree().getroot() is root


def _is_furniture(element: Any, total: int) -> bool:
    if element.get("role") in _ROLES or element.get("hidden") is not None:
        found: str | None = "hidden"
    else:
        found = named(f"{element.get('class') or ''} {element.get('id') or ''}")
    if not found or element.xpath("boolean(.//h1)"):
        return False
    if element.tag in INLINE and element.xpath("boolean(ancestor::p | ancestor::li | ancestor::blockquote)"):
        return False  # a word of a sentence
    share = _paragraph_text(element) / total
    if found in STRONG:
        return share < 0.6
    return share < _MOST and (len(element.xpath("normalize-space(string(.))")) < _BRIEF or _linked(element))


def _linked(element: Any) -> bool:
    text = len(element.xpath("normalize-space(string(.))"))
    return sum(len(a.xpath("normalize-space(string(.))")) for a in element.iter("a")) > text / 2


@lru_cache(maxsize=2_000)
def named(names: str) -> str | None:
    """The furniture word in an element's class and id, None without one."""
    return next((word for name in names.split() if (word := _furniture_word(name))), None)


@lru_cache(maxsize=2_000)
def _furniture_word(name: str) -> str | None:
    if _STATE.search(name):
        return None
    words, parts = lexicon().boilerplate, parts_of(name)
    pairs = ["".join(parts[at : at + 2]) for at in range(len(parts) - 1)]
    return next((part for part in (*parts, *pairs) if part in words), None)


def parts_of(name: str) -> list[str]:
    """The words in a class name or id, lower case."""
    return _PARTS.split(_CAMEL.sub("-", name).lower())


def _is_pointer(element: Any) -> bool:
    """Whether a short element consists of a link to another story behind a phrase ("Read more: …")."""
    linked = element.xpath("string-length(normalize-space(string(.//a[@href])))")
    if not linked:
        return False
    text = fold(text_of(element))
    return len(text) < 250 and bool(lexicon().opener.match(text))


def _paragraph_text(element: Any) -> int:
    return (
        int(element.xpath("string-length(normalize-space(string(.)))"))
        if element.tag == "p"
        else sum(len(p.xpath("string()")) for p in element.iter("p"))
    )


def _drop(element: Any) -> None:
    """Take an element out and leave the text after it."""
    parent = element.getparent()
    if parent is None:
        return
    if element.tail:
        before = element.getprevious()
        if before is not None:
            before.tail = (before.tail or "") + " " + element.tail
        else:
            parent.text = (parent.text or "") + " " + element.tail
    parent.remove(element)
