"""Decides what a cleaned page is to the store: new, the same, a new version, or a duplicate."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from storage.records import Access, ChangeClass, Clean, Decision, DecisionKind, Fingerprint, Known, Neighbour
from tasks import compare
from tasks.fingerprint import marks_of, similarity
from tasks.likeness import NAMES, Likeness, Weights, likeness, probabilities
from tasks.marks import Marks
from tasks.words import fold, tokens

_WITHHELD = {Access.FREE: 0, Access.METERED: 1, Access.PARTIAL: 2, Access.PAYWALL: 3, Access.CONSENT: 4}

_LONGEST_OFFER = 40
"""Words of a line that stands where the rest of an article would be."""
_TOLD = 3
"""So many of the articles compared are kept as evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """The numbers that the decisions turn on."""

    near: float = 0.5
    """Least probability of near-duplicates."""
    shared: float = 0.1
    """Least share of the shorter text's trigrams in the other: the weights were learned from pairs that have some."""
    merge: float = 0.9
    """Likewise of an article that shows two clusters to be one: a wrong merge joins strangers by the dozen."""
    shrunk: float = 0.6
    """A new text below this share of the old one's words, with nothing new in it, is a truncated one."""
    kept: float = 0.9
    """Least share of a text's trigrams that come from the old one for 'nothing new in it'."""
    replaced: float = 0.1
    """Most share of the same for 'nothing of the old one in it': an error page where the article was."""
    repeats_within: timedelta = timedelta(days=2)
    """Two short equal texts farther apart than this are two days' notices, not one told twice."""


def decide(
    clean: Clean,
    print_: Fingerprint,
    *,
    same_url: Known | None,
    others: Iterable[Neighbour],
    site: str,
    thresholds: Thresholds | None = None,
    boilerplate: Collection[str] = (),
    weights: Weights = None,
) -> Decision:
    """What to write for a page. `same_url` is the article filed under its key, `others` are those that may match.

    The order of `others` does not matter. Where the address is known, only that article counts: an article is one per
    canonical address, and a second look at it says nothing of others. `boilerplate` are lines, folded, that many
    stories share; `weights` are those of the likeness, None for the learned ones.
    """
    limits = thresholds or Thresholds()
    if same_url is not None:
        return _again(clean, print_, same_url, limits, boilerplate)
    strangers = sorted((known for known in others if known.url != clean.url), key=lambda known: known.article_id)
    if not strangers:
        return Decision(kind=DecisionKind.NEW, reason="new_story")
    mine = marks_of(print_)
    weighed = _weigh(mine, print_, strangers, weights)
    equal = [one.known for one in weighed if _is_equal(mine, clean.published_at, one, limits)]
    here = next((known for known in equal if known.site == site), None)
    if here is not None:
        reason = "same_text_on_site"
        return Decision(kind=DecisionKind.DUPLICATE, reason=reason, article_id=here.article_id, similarity=1.0)
    return _placed(equal, weighed, limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tie:
    """That two articles tell one story."""

    other: Neighbour
    equal: bool
    """In the same words."""
    probability: float
    similarity: float
    """Share of common trigrams."""
    sure: bool
    """Enough so to make one of two clusters."""


def ties(
    print_: Fingerprint,
    published_at: datetime | None,
    others: Iterable[Neighbour],
    *,
    thresholds: Thresholds | None = None,
    weights: Weights = None,
) -> list[Tie]:
    """Those of the others that tell the story of an article in the store, by the rules of `decide`; likeliest first."""
    limits, mine = thresholds or Thresholds(), marks_of(print_)
    found = []
    for one in _weigh(mine, print_, list(others), weights):
        equal = _is_equal(mine, published_at, one, limits)
        if equal or _is_near(one, limits):
            alike = 1.0 if equal or one.likeness is None else one.likeness.jaccard
            chance = 1.0 if equal else one.probability
            sure = chance >= limits.merge
            found.append(Tie(other=one.known, equal=equal, probability=chance, similarity=alike, sure=sure))
    return sorted(found, key=lambda tie: (-tie.probability, tie.other.article_id))


@dataclass(frozen=True, slots=True)
class _Weighed:
    """An article in the store beside the new one."""

    known: Neighbour
    marks: Marks | None
    """None where they are of another algorithm, and not to be read by this one."""
    equal: bool
    likeness: Likeness | None
    probability: float


def _weigh(mine: Marks, print_: Fingerprint, strangers: Sequence[Neighbour], weights: Weights) -> list[_Weighed]:
    theirs = [
        marks_of(known.fingerprint) if known.fingerprint.algorithm == print_.algorithm else None for known in strangers
    ]
    pairs = [likeness(mine, other) if other and mine.sketch and other.sketch else None for other in theirs]
    chances = iter(probabilities([pair for pair in pairs if pair is not None], weights))
    return [
        _Weighed(
            known, other, known.fingerprint.exact == print_.exact, pair, next(chances) if pair is not None else 0.0
        )
        for known, other, pair in zip(strangers, theirs, pairs, strict=True)
    ]


def _placed(equal: Sequence[Neighbour], weighed: Sequence[_Weighed], limits: Thresholds) -> Decision:
    """A new article: in the cluster of an equal text, else of its likeliest near-duplicate, else in one of its own."""
    near = sorted((one for one in weighed if _is_near(one, limits)), key=_likeliest)
    if not equal and not near:
        return Decision(kind=DecisionKind.NEW, reason="new_story", evidence=_evidence(weighed))
    home = equal[0].cluster_id if equal else near[0].known.cluster_id
    sure = [one.known.cluster_id for one in near[0 if equal else 1 :] if one.probability >= limits.merge]
    clusters = sorted({home, *(known.cluster_id for known in equal), *sure})
    alike = 1.0 if equal else near[0].likeness.jaccard if near[0].likeness else None
    return Decision(
        kind=DecisionKind.NEW,
        reason="same_text" if equal else "near_duplicate",
        cluster_id=clusters[0],  # the oldest: its id has been told to most readers
        merges=tuple(clusters[1:]),
        similarity=alike,
        evidence=_evidence(weighed),
    )


def _is_near(one: _Weighed, limits: Thresholds) -> bool:
    shared = one.likeness.containment if one.likeness else 0.0
    return one.probability >= limits.near and shared >= limits.shared


def _likeliest(one: _Weighed) -> tuple[float, int]:
    return -one.probability, one.known.article_id


def _evidence(weighed: Sequence[_Weighed]) -> Mapping[str, Any]:
    """The likeliest of what was compared, with its measures: kept with each article, so no more than tells why."""
    told = [
        {
            "article": one.known.article_id,
            "cluster": one.known.cluster_id,
            "equal": one.equal,
            "probability": round(one.probability, 4),
            "measures": {name: round(value, 3) for name, value in zip(NAMES, one.likeness or (), strict=False)},
        }
        for one in sorted(weighed, key=_likeliest)[:_TOLD]
    ]
    return {"compared": told} if told else {}


def _again(
    clean: Clean, print_: Fingerprint, known: Known, limits: Thresholds, boilerplate: Collection[str]
) -> Decision:
    if (clean.title, clean.text) == (known.title, known.text):
        return _same(known, "unchanged", 1.0)
    alike = similarity(print_, known.fingerprint)
    new, old = f"{clean.title}\n{clean.text}", f"{known.title}\n{known.text}"
    if clean.access is not Access.CONSENT and compare.announces_retraction(new, old):
        reason, change = "retraction", ChangeClass.RETRACTION
        return Decision(
            kind=DecisionKind.VERSION, reason=reason, article_id=known.article_id, change_class=change, similarity=alike
        )
    # Before any other rule: good text is never overwritten by a wall, a cut body or an error page.
    if _is_worse(clean, known, limits):
        return _same(known, "kept_better_text", alike)
    if _is_cosmetic(clean, known, boilerplate):
        return _same(known, "cosmetic", alike, ChangeClass.COSMETIC)
    reason, change = _change(clean, known)
    return Decision(
        kind=DecisionKind.VERSION, reason=reason, article_id=known.article_id, change_class=change, similarity=alike
    )


def _is_worse(clean: Clean, known: Known, limits: Thresholds) -> bool:
    """Whether the new text is less of the article than the old one."""
    new, old = len(tokens(clean.text)), len(tokens(known.text))
    if clean.access is Access.CONSENT and known.access is not Access.CONSENT:
        return True
    if new >= old:
        return False
    if _WITHHELD[clean.access] > _WITHHELD[known.access] or compare.is_prefix(clean.text, known.text):
        return True
    if new >= limits.shrunk * old:
        return False
    if _is_cut_with_an_offer(clean.text, known.text):
        return True
    common = compare.overlap(clean.text, known.text).forward
    # An error page has another title as well; a story rewritten as a short one keeps its title or its words.
    return common >= limits.kept or (common <= limits.replaced and fold(clean.title) != fold(known.title))


def _is_cut_with_an_offer(new: str, old: str) -> bool:
    """Whether the new text is the beginning of the old one and a line that asks to pay, or to read elsewhere."""
    start, _, last = new.rstrip().rpartition("\n")
    return (
        len(tokens(last)) <= _LONGEST_OFFER
        and not compare.announces_correction(last, "")
        and compare.is_prefix(start, old)
    )


def _is_cosmetic(clean: Clean, known: Known, boilerplate: Collection[str]) -> bool:
    """Whether the same words remain without the lines that change by themselves or stand under many stories."""
    if fold(clean.title) != fold(known.title):
        return False
    new, old = compare.settled_lines(clean.text), compare.settled_lines(known.text)
    if " ".join(new) == " ".join(old):
        return True
    new, old = ([line for line in lines if line not in boilerplate] for lines in (new, old))
    return bool(new) and " ".join(new) == " ".join(old)


def _change(clean: Clean, known: Known) -> tuple[str, ChangeClass]:
    new, old = f"{clean.title}\n{clean.text}", f"{known.title}\n{known.text}"
    if compare.announces_correction(new, old) or compare.is_correction(new, old):
        return "correction", ChangeClass.CORRECTION
    if compare.is_prefix(known.text, clean.text) and _WITHHELD[clean.access] < _WITHHELD[known.access]:
        return "fuller_text", ChangeClass.EDIT
    return "edit", ChangeClass.EDIT


def _is_equal(mine: Marks, published_at: datetime | None, one: _Weighed, limits: Thresholds) -> bool:
    # A short text ("No trains today") says little by itself: its title must be the same, and the days too. A long one
    # may stand under two headlines; that its words are the same shows by the exact hash in every algorithm.
    if not one.equal or mine.sketch:
        return one.equal
    same_title = one.marks is not None and mine.title == one.marks.title
    return same_title and _close_in_time(published_at, one.known, limits)


def _close_in_time(published_at: datetime | None, known: Neighbour, limits: Thresholds) -> bool:
    if published_at is None or known.published_at is None:
        return True
    return abs(published_at - known.published_at) <= limits.repeats_within


def _same(known: Known, reason: str, alike: float, change: ChangeClass = ChangeClass.FIRST) -> Decision:
    return Decision(
        kind=DecisionKind.SAME, reason=reason, article_id=known.article_id, change_class=change, similarity=alike
    )
