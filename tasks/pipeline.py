"""The stages from an answered page to a decision, in their order; the one place that knows it. No I/O here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from storage.records import Clean, Decision, Fingerprint, Known, Rejection
from tasks.clean import clean
from tasks.decide import Thresholds, decide
from tasks.extract import extract
from tasks.extract.material import Material
from tasks.fingerprint import content_hash, fingerprint
from tasks.normalize import Facts, normalize
from tasks.words import word_count

FindCandidates = Callable[[Fingerprint], Sequence[Known]]
"""Finds the articles in the store that a fingerprint may match."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A readable page with all that can be worked out before the store is asked."""

    clean: Clean
    fingerprint: Fingerprint
    content_hash: str
    word_count: int


def read(material: Material, *, min_words: int = 5) -> Read | Rejection:
    """The article of a page in canonical form with its hashes, or why it has none.

    Rejections of the stage `read`: `http_<status>`, `empty_body`; the others are those of `extract` and `normalize`.
    """
    # What the server said comes before what the page says: an error page is often a fine page with a headline.
    refused = _refused(material)
    if refused is not None:
        return refused
    extracted = extract(material)
    if isinstance(extracted, Rejection):
        return extracted
    # Characters before choices: a title that is nothing but a zero-width space must lose to the next one, two
    # spellings of a name that differ in a no-break space are one, and the length of a text is that without scraps.
    tidied = clean(extracted)
    normal = normalize(tidied, _facts(material), min_words=min_words)
    # The print is of the normalized text: one of the raw page would tell twins apart by their templates. It needs no
    # store, so it is taken before anybody stands in line to decide.
    return normal if isinstance(normal, Rejection) else _hashed(normal)


def judge(
    page: Read, *, site: str, same_url: Known | None, candidates: FindCandidates, thresholds: Thresholds | None = None
) -> Decision:
    """What to write for a page.

    `same_url` is the article filed under the page's canonical key if there is one. The address decides before the
    likeness does: `candidates` is asked only if there is none.
    """
    others = () if same_url is not None else candidates(page.fingerprint)
    facts = {"same_url": same_url, "others": others, "site": site, "thresholds": thresholds}
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
    return Read(
        clean=article,
        fingerprint=fingerprint(article),
        content_hash=content_hash(article),
        word_count=word_count(article.text),
    )
