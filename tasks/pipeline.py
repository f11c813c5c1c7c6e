"""The stages from an answered page to a decision, in their order; the one place that knows it. No I/O here."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from storage.records import Clean, Decision, Extracted, Fingerprint, Known, Neighbour, Rejection
from tasks.clean import clean
from tasks.collector import paused
from tasks.decide import Thresholds, decide
from tasks.extract import extract
from tasks.extract.material import Material
from tasks.fingerprint import Draft, content_hash, draft, finish
from tasks.normalize import Facts, normalize
from tasks.patience import at_most
from tasks.words import word_count

FindCandidates = Callable[[Fingerprint], Sequence[Neighbour]]
"""Finds the articles in the store that a fingerprint may match."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A readable page with all that can be worked out before the store is asked."""

    clean: Clean
    fingerprint: Fingerprint
    content_hash: str
    word_count: int
    draft: Draft = field(compare=False, repr=False)
    """What the fingerprint is made of: it is finished once more when the store has said what is boilerplate."""


def read(material: Material, *, min_words: int = 5) -> Read | Rejection:
    """The article of a page in canonical form with its hashes, or why it has none: `look`, then `conclude`."""
    seen = look(material)
    return seen if isinstance(seen, Rejection) else conclude(seen, material, min_words=min_words)


def look(material: Material) -> Extracted | Rejection:
    """What a page says, with clean characters, or why it says nothing.

    Rejections of the stage `read`: `http_<status>`, `empty_body`; the others are those of `extract`.

    Raises TookTooLong.
    """
    # What the server said comes before what the page says: an error page is often a fine page with a headline.
    refused = _refused(material)
    if refused is not None:
        return refused
    with at_most(), paused():
        extracted = extract(material)
    # Characters before choices: a title that is nothing but a zero-width space must lose to the next one, two
    # spellings of a name that differ in a no-break space are one, and the length of a text is that without scraps.
    return extracted if isinstance(extracted, Rejection) else clean(extracted)


def conclude(seen: Extracted, material: Material, *, min_words: int = 5) -> Read | Rejection:
    """The article in canonical form with its hashes. Later parts of an article (`tasks.parts`) are joined before this.

    Rejections are those of `normalize`.
    """
    normal = normalize(seen, _facts(material), min_words=min_words)
    # The print is of the normalized text: one of the raw page would tell twins apart by their templates. It needs no
    # store, so it is taken before anybody stands in line to decide.
    return normal if isinstance(normal, Rejection) else _hashed(normal)


def judge(
    page: Read,
    *,
    site: str,
    same_url: Known | None,
    candidates: FindCandidates,
    thresholds: Thresholds | None = None,
    boilerplate: Collection[str] = (),
) -> Decision:
    """What to write for a page.

    `same_url` is the article filed under the page's canonical key if there is one. The address decides before the
    likeness does: `candidates` is asked only if there is none. `boilerplate` are folded lines that many stories share.
    """
    others = () if same_url is not None else candidates(page.fingerprint)
    facts = {"same_url": same_url, "others": others, "site": site, "thresholds": thresholds, "boilerplate": boilerplate}
    return decide(page.clean, page.fingerprint, **facts)  # type: ignore[arg-type]


def _refused(material: Material) -> Rejection | None:
    if not 200 <= material.status <= 299:
        return Rejection(stage="read", reason=f"http_{material.status}", detail=material.url)
    if not material.body.strip():
        return Rejection(stage="read", reason="empty_body", detail=material.url)
    return None


def _facts(material: Material) -> Facts:
    return Facts(
        url=material.url,
        fetched_at=material.fetched_at,
        language=material.language,
        publisher=material.publisher,
    )


def _hashed(article: Clean) -> Read:
    hashed, words = content_hash(article), word_count(article.text)
    drafted = draft(article.title, article.text)
    return Read(clean=article, draft=drafted, fingerprint=finish(drafted), content_hash=hashed, word_count=words)
