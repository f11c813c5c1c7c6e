"""The stages from an answered page to a decision, in their order; the one place that knows it. No I/O here."""

from collections.abc import Callable, Iterable

from storage.records import Clean, Decision, Fingerprint, Known, Rejection
from tasks.clean import clean
from tasks.decide import Thresholds, decide
from tasks.extract import extract
from tasks.extract.material import Material
from tasks.fingerprint import fingerprint
from tasks.normalize import Facts, normalize

FindCandidates = Callable[[Fingerprint], Iterable[Known]]
"""Finds the articles in the store that a fingerprint may match."""


def read(material: Material, *, min_words: int = 5) -> Clean | Rejection:
    """The article of a page in canonical form, or why it has none.

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
    facts = Facts(
        url=material.url,
        fetched_at=material.fetched_at,
        language=material.language,
        publisher=material.publisher,
    )
    return normalize(tidied, facts, min_words=min_words)


def judge(
    article: Clean,
    *,
    site: str,
    same_url: Known | None,
    candidates: FindCandidates,
    thresholds: Thresholds | None = None,
) -> tuple[Fingerprint, Decision]:
    """The fingerprint of an article and what to write for it.

    `same_url` is the article filed under `article.url` if there is one; `candidates` is asked only if there is none.
    """
    # The print is of the normalized text: one of the raw page would tell twins apart by their templates. Candidates
    # are looked up by it, hence after it, and the address decides before the likeness does.
    print_ = fingerprint(article)
    others = () if same_url is not None else candidates(print_)
    return print_, decide(article, print_, same_url=same_url, others=others, site=site, thresholds=thresholds)


def _refused(material: Material) -> Rejection | None:
    if not 200 <= material.status <= 299:
        return Rejection(stage="read", reason=f"http_{material.status}", detail=material.url)
    if not material.body.strip():
        return Rejection(stage="read", reason="empty_body", detail=material.url)
    return None
