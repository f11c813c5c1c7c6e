"""A load model: what a deployment can do, from what an article costs each of its parts.

Each part has some cores, and an article costs it some milliseconds of them. A part is as fast as its cores allow up to
a utilisation at which queues stay short, and the whole is as fast as its slowest part, or as the sites let it be.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

UTILISATION = 0.9
"""Share of a part's cores that can be used: what one core of a part does next is not always there yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a deployment."""

    name: str
    ms: float
    """Processor milliseconds for each article."""
    cores: float
    """Of all its hosts together."""

    @property
    def most_per_s(self) -> float:
        """Articles a second at full use."""
        return 1000 * self.cores / self.ms if self.ms else float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What the model says."""

    per_s: float
    bound_by: str
    """The part that is at its limit, or `sites`."""
    used: Mapping[str, float]
    """Of each part's cores at that rate."""


def predict(
    parts: Sequence[Part], *, sites: int = 0, delay_s: float = 0.0, utilisation: float = UTILISATION
) -> Forecast:
    """The throughput of parts with cores of their own, on so many sites that want a pause between requests."""
    limits = {part.name: utilisation * part.most_per_s for part in parts}
    if sites and delay_s:
        limits["sites"] = sites / delay_s
    bound_by = min(limits, key=limits.__getitem__)
    per_s = limits[bound_by]
    return Forecast(per_s=per_s, bound_by=bound_by, used={part.name: per_s / part.most_per_s for part in parts})


def shared(parts: Mapping[str, float], cores: float, *, utilisation: float = UTILISATION) -> float:
    """Articles a second where all parts share the same cores; `parts` are milliseconds for each article."""
    return 1000 * utilisation * cores / sum(parts.values())


def needed(parts: Mapping[str, float], per_s: float, *, utilisation: float = UTILISATION) -> dict[str, float]:
    """Cores that each part needs for that rate."""
    return {name: per_s * ms / 1000 / utilisation for name, ms in parts.items()}
