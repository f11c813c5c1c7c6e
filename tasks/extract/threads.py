"""Finds what readers wrote under an article: elements that a template names as comments, and all that is in them."""

from collections.abc import Sequence

from tasks.extract.prune import named
from tasks.extract.segments import Segments

_THREAD = frozenset(("comments", "comment", "commentlist", "disqus", "discussion"))
_NO_THREAD = frozenset(("html", "body", "main"))


def comments(page: Segments) -> Sequence[bool]:
    """For each block of a page whether it stands in a thread of comments."""
    inside: list[bool] = []
    for box in page.containers:
        around = box.parent >= 0 and inside[box.parent]
        inside.append(around or (box.tag not in _NO_THREAD and bool(box.names) and named(box.names) in _THREAD))
    return [inside[block.container] for block in page.blocks]
