"""What the sites' logs say of a cluster: were the pauses kept, and who took over what another had begun?"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from itertools import pairwise

from benchmarks.e2e.town import Arrival

_FORGIVEN_S = 0.005


def too_close(arrivals: Iterable[Arrival], delay_s: float) -> Iterator[str]:
    """Each pair of requests to one site that came closer than that, whoever sent them. robots.txt is not counted."""
    by_site = defaultdict(list)
    for at, site, path, peer in sorted(arrivals):
        if path != "/robots.txt":
            by_site[site].append((at, path, peer))
    for site, log in by_site.items():
        for (first, _, one), (second, path, other) in pairwise(log):
            if second - first < delay_s - _FORGIVEN_S:
                yield f"site {site}: {path} from {other} came {second - first:.3f} s after a request from {one}"


def taken_over(arrivals: Iterable[Arrival], sites: Collection[int], lost: str, cut_at: float) -> dict[int, float]:
    """Seconds from the cut to the first request to each of these sites that is not from the lost host."""
    found: dict[int, float] = {}
    for at, site, _, peer in sorted(arrivals):
        if at > cut_at and site in sites and peer != lost:
            found.setdefault(site, at - cut_at)
    return found
