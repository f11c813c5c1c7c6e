"""Scores clusters against true ones: pairwise, and B-cubed (Bagga and Baldwin 1998), where each article counts once."""

from collections import Counter
from collections.abc import Hashable, Sequence


def score(gold: Sequence[Hashable], found: Sequence[Hashable]) -> dict[str, float]:
    """Precision, recall and F1 over pairs of articles in one cluster, and the same after B-cubed."""
    joint, true, made = Counter(zip(gold, found, strict=True)), Counter(gold), Counter(found)
    hit, claimed, wanted = (sum(map(_pairs, sizes.values())) for sizes in (joint, made, true))
    precision, recall = hit / claimed if claimed else 1.0, hit / wanted if wanted else 1.0
    each_p = sum(n * n / made[key[1]] for key, n in joint.items()) / len(gold)
    each_r = sum(n * n / true[key[0]] for key, n in joint.items()) / len(gold)
    return {
        "precision": precision,
        "recall": recall,
        "f1": _harmonic(precision, recall),
        "bcubed_precision": each_p,
        "bcubed_recall": each_r,
        "bcubed_f1": _harmonic(each_p, each_r),
    }


def _pairs(size: int) -> int:
    return size * (size - 1) // 2


def _harmonic(one: float, other: float) -> float:
    return 2 * one * other / (one + other) if one + other else 0.0
