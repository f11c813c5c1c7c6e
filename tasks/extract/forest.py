"""Judges blocks with a forest of oblivious decision trees: each tree asks the same questions on every path.

The model's file is JSON: `splits` holds [feature, border] pairs, tree after tree, `depth` the number of questions of
each tree, `leaves` its answers in the order of the binary number that the questions' answers form, the first question
lowest; `tokens` the log odds of words in elements' names.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

_ROWS = 512
"""Blocks judged at once: bounds the memory on pages with 100,000 of them."""


@dataclass(frozen=True, slots=True)
class Forest:
    """Trees of one depth, as arrays."""

    features: Any
    borders: Any
    weights: Any
    """What a true answer adds to the leaf's number."""
    leaves: Any
    """All leaves in a row; `offsets` is where each tree's begin."""
    offsets: Any
    depth: int
    bias: float

    def judge(self, table: Any) -> Any:
        """The probability of each row that it is the article's."""
        import numpy as np  # noqa: PLC0415

        raw = np.empty(len(table), dtype=np.float64)
        for at in range(0, len(table), _ROWS):
            raw[at : at + _ROWS] = self._raw(np, table[at : at + _ROWS])
        return 1 / (1 + np.exp(-raw))

    def _raw(self, np: Any, table: Any) -> Any:
        answers = np.take(table.T, self.features, axis=0) > self.borders[:, None]
        numbers = (answers.reshape(-1, self.depth, len(table)) * self.weights[None, :, None]).sum(
            axis=1, dtype=np.int32
        )
        return np.take(self.leaves, numbers + self.offsets[:, None]).sum(axis=0) + self.bias


@dataclass(frozen=True, slots=True)
class Model:
    """All that was learnt of blocks."""

    forest: Forest
    tokens: Mapping[str, float]
    threshold: float


def load(data: Mapping[str, Any]) -> Model:
    """Read a model out of its parsed file."""
    return Model(
        forest=_forest(data["forest"]),
        tokens=data["tokens"],
        threshold=float(data["threshold"]),
    )


@cache
def model() -> Model:
    """The model that comes with the program."""
    packed = files("tasks").joinpath("data", "blocks.json.gz").read_bytes()
    return load(json.loads(gzip.decompress(packed)))


def _forest(data: Mapping[str, Any]) -> Forest:
    import numpy as np  # noqa: PLC0415

    depth = int(data["depth"])
    splits = data["splits"]
    trees = len(splits) // depth
    return Forest(
        features=np.array([feature for feature, _ in splits], dtype=np.int32),
        borders=np.array([border for _, border in splits], dtype=np.float32),
        weights=(1 << np.arange(depth)).astype(np.int32),
        leaves=np.array(data["leaves"], dtype=np.float64),
        offsets=(np.arange(trees) << depth).astype(np.int32),
        depth=depth,
        bias=float(data["bias"]),
    )
