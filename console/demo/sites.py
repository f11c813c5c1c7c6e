"""The three newspapers: their names, looks and the way in which each marks up its articles."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One newspaper and where it is served."""

    name: str
    title: str
    tagline: str
    markup: str
    """How its articles describe themselves: jsonld, meta or microdata; one way only."""
    colour: str
    port: int

    @property
    def base(self) -> str:
        """Its address without a final slash."""
        return f"http://127.0.0.1:{self.port}"

    def url(self, path: str) -> str:
        """The absolute address of a path."""
        return self.base + path


def make_sites(ports: dict[str, int]) -> dict[str, Site]:
    """The newspapers by name, on the given ports."""
    harbour = Site(
        name="harbour", title="The Harbour Gazette", tagline="News from the water's edge since 1887",
        markup="jsonld", colour="#123f5c", port=ports["harbour"],
    )  # fmt: skip
    valley = Site(
        name="valley", title="Valley Herald", tagline="Six towns, one river",
        markup="meta", colour="#3c5a2a", port=ports["valley"],
    )  # fmt: skip
    coast = Site(
        name="coast", title="Coast Today", tagline="All day, every tide",
        markup="microdata", colour="#8a2f3b", port=ports["coast"],
    )  # fmt: skip
    return {site.name: site for site in (harbour, valley, coast)}
