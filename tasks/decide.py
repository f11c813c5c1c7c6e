"""Decides what a cleaned page is to the store: new, the same, a new version, or a duplicate."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from storage.records import Access, ChangeClass, Clean, Decision, DecisionKind, Fingerprint, Known
from tasks import compare
from tasks.fingerprint import SHORT_WORDS, similarity
from tasks.words import fold, tokens

_WITHHELD = {Access.FREE: 0, Access.METERED: 1, Access.PARTIAL: 2, Access.PAYWALL: 3, Access.CONSENT: 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """The numbers that the decisions turn on."""

    near: float = 0.5
    """Least share of common trigrams of near-duplicates."""
    contained: float = 0.8
    """Or least share of the shorter text's trigrams that the longer one has: a story cut by the editor who took it."""
    facts: float = 0.6
    """Least share of common numbers and of common names of near-duplicates."""
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
    others: Iterable[Known],
    site: str,
    thresholds: Thresholds | None = None,
) -> Decision:
    """What to write for a page. `same_url` is the article filed under its key, `others` are those that may match.

    The order of `others` does not matter. Where the address is known, only that article counts: an article is one per
    canonical address, and a second look at it says nothing of others.
    """
    limits = thresholds or Thresholds()
    if same_url is not None:
        return _again(clean, print_, same_url, limits)
    strangers = sorted((known for known in others if known.url != clean.url), key=lambda known: known.article_id)
    return _repeated(clean, strangers, site, limits) or _akin(clean, print_, strangers, limits) or _new()


def _again(clean: Clean, print_: Fingerprint, known: Known, limits: Thresholds) -> Decision:
    if (clean.title, clean.text) == (known.title, known.text):
        return _same(known, "unchanged", 1.0)
    alike = similarity(print_, known.fingerprint)
    # Before any other rule: good text is never overwritten by a wall, a cut body or an error page.
    if _is_worse(clean, known, limits):
        return _same(known, "kept_better_text", alike)
    if _is_cosmetic(clean, print_, known):
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
    common = compare.overlap(clean.text, known.text).forward
    # An error page has another title as well; a story rewritten as a short one keeps its title or its words.
    return common >= limits.kept or (common <= limits.replaced and fold(clean.title) != fold(known.title))


def _is_cosmetic(clean: Clean, print_: Fingerprint, known: Known) -> bool:
    if print_.algorithm == known.fingerprint.algorithm and print_.exact == known.fingerprint.exact:
        return True
    return fold(clean.title) == fold(known.title) and compare.settled(clean.text) == compare.settled(known.text)


def _change(clean: Clean, known: Known) -> tuple[str, ChangeClass]:
    new, old = f"{clean.title}\n{clean.text}", f"{known.title}\n{known.text}"
    if compare.announces_correction(new, old) or compare.is_correction(new, old):
        return "correction", ChangeClass.CORRECTION
    if compare.is_prefix(known.text, clean.text) and _WITHHELD[clean.access] < _WITHHELD[known.access]:
        return "fuller_text", ChangeClass.EDIT
    return "edit", ChangeClass.EDIT


def _repeated(clean: Clean, strangers: Sequence[Known], site: str, limits: Thresholds) -> Decision | None:
    """A duplicate on the same site, or a new article in the cluster of one with the same text elsewhere."""
    words = tokens(clean.text)
    equal = [known for known in strangers if words == tokens(known.text)]
    if len(words) < SHORT_WORDS:
        # A short text ("No trains today") says little by itself: its title must be the same, and the days too. A long
        # one may stand under two headlines.
        equal = [known for known in equal if _is_same_notice(clean, known, limits)]
    here = next((known for known in equal if known.site == site), None)
    if here is not None:
        return Decision(
            kind=DecisionKind.DUPLICATE, reason="same_text_on_site", article_id=here.article_id, similarity=1.0
        )
    return _joins(equal[0], "same_text", 1.0) if equal else None


def _is_same_notice(clean: Clean, known: Known, limits: Thresholds) -> bool:
    return fold(clean.title) == fold(known.title) and _close_in_time(clean, known, limits)


def _close_in_time(clean: Clean, known: Known, limits: Thresholds) -> bool:
    if clean.published_at is None or known.published_at is None:
        return True
    return abs(clean.published_at - known.published_at) <= limits.repeats_within


def _akin(clean: Clean, print_: Fingerprint, strangers: Sequence[Known], limits: Thresholds) -> Decision | None:
    """A new article in the cluster of the one that it resembles most; of equals the one filed first."""
    if not print_.sketch:
        return None
    scored = [(score, known) for known in strangers if (score := _nearness(clean, known, limits)) is not None]
    if not scored:
        return None
    score, nearest = max(scored, key=lambda pair: (pair[0], -pair[1].article_id))
    return _joins(nearest, "near_duplicate", score)


def _nearness(clean: Clean, known: Known, limits: Thresholds) -> float | None:
    if not known.fingerprint.sketch:
        return None
    # The sketches only led here; the texts are at hand, so that the exact share decides.
    shared = compare.overlap(clean.text, known.text)
    if shared.resemblance < limits.near and shared.containment < limits.contained:
        return None
    return shared.resemblance if compare.facts_agree(clean.text, known.text, least=limits.facts) else None


def _joins(known: Known, reason: str, score: float) -> Decision:
    return Decision(kind=DecisionKind.NEW, reason=reason, cluster_id=known.cluster_id, similarity=score)


def _same(known: Known, reason: str, alike: float, change: ChangeClass = ChangeClass.FIRST) -> Decision:
    return Decision(
        kind=DecisionKind.SAME, reason=reason, article_id=known.article_id, change_class=change, similarity=alike
    )


def _new() -> Decision:
    return Decision(kind=DecisionKind.NEW, reason="new_story")
