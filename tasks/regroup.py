"""Which articles belong together, by ties between them, and which cluster each group keeps. No store here."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from storage.reclustering import Move
from storage.records import Neighbour
from tasks.decide import Tie

_Node = int
"""An article by its id; or the articles of a cluster that stay together whatever comes, by the cluster's id below 0."""


@dataclass(slots=True)
class Groups:
    """Articles with their present clusters, put together tie by tie (a union-find, Tarjan 1975)."""

    _parents: dict[_Node, _Node] = field(default_factory=dict)
    _homes: dict[_Node, int] = field(default_factory=dict)
    _urls: dict[int, str] = field(default_factory=dict)
    _fixed: dict[_Node, dict[int, str]] = field(default_factory=dict)
    _outer: dict[_Node, Tie] = field(default_factory=dict)
    """Of each node its likeliest tie to another cluster."""

    def add(self, one: Neighbour) -> None:
        """An article that may go anywhere."""
        self._enter(one.article_id, one.cluster_id)
        self._urls[one.article_id] = one.url

    def fix(self, cluster_id: int, members: Iterable[Neighbour]) -> None:
        """Articles of a cluster that are not decided anew: where one goes, all go."""
        self._enter(-cluster_id, cluster_id)
        self._fixed[-cluster_id] = {one.article_id: one.url for one in members}

    def tie(self, one: Neighbour, tie: Tie, *, fixed: bool) -> None:
        """Put an article and another together; `fixed`: the other is none of those that may go anywhere."""
        other = -tie.other.cluster_id if fixed else tie.other.article_id
        if not fixed:
            self.add(tie.other)
        elif other not in self._fixed:
            self.fix(tie.other.cluster_id, [tie.other])
        self.add(one)
        if tie.other.cluster_id != one.cluster_id:
            for node in (one.article_id, other):
                held = self._outer.get(node)
                if held is None or tie.probability > held.probability:
                    self._outer[node] = tie
        self._parents[self._root(one.article_id)] = self._root(other)

    def moves(self) -> list[list[Move]]:
        """Who has to move, in groups that go to one cluster; to be done in this order.

        Of a cluster that is split the largest part keeps the id, of equal ones that with the earliest article. Of the
        ids that a group could keep it keeps the oldest. The parts that leave a cluster come before those that end it.
        """
        groups: dict[_Node, list[_Node]] = defaultdict(list)
        for node in sorted(self._parents, key=abs):
            groups[self._root(node)].append(node)
        heirs = self._heirs(groups)
        kept = {root: min(ids) for root, ids in _inverted(heirs).items()}
        leaving, ending = [], []
        for root, nodes in groups.items():
            moves = [move for node in nodes for move in self._move(node, kept.get(root), len(nodes))]
            leaving.append([move for move in moves if heirs[move.before] != root])
            ending.append([move for move in moves if heirs[move.before] == root])
        return [moves for moves in (*leaving, *ending) if moves]

    def _heirs(self, groups: dict[_Node, list[_Node]]) -> dict[int, _Node]:
        """For each cluster the group that has most of it."""
        shares: dict[int, Counter[_Node]] = defaultdict(Counter)
        for root, nodes in groups.items():  # the group with the earliest article comes first, and wins a draw
            for node in nodes:
                shares[self._homes[node]][root] += len(self._fixed.get(node, "1"))
        return {cluster_id: share.most_common(1)[0][0] for cluster_id, share in shares.items()}

    def _move(self, node: _Node, into: int | None, size: int) -> list[Move]:
        home = self._homes[node]
        if home == into:
            return []
        tie = self._outer.get(node)
        similarity, reason = None, "split" if size > 1 else "new_story"
        if tie is not None:
            similarity, reason = tie.similarity, "same_text" if tie.equal else "near_duplicate"
        elif into is not None:
            reason = "merged"
        one = Move(article_id=0, url="", before=home, into=into, similarity=similarity, reason=reason)
        members = self._fixed.get(node) or {node: self._urls[node]}
        return [replace(one, article_id=article_id, url=url) for article_id, url in members.items()]

    def _enter(self, node: _Node, home: int) -> None:
        self._parents.setdefault(node, node)
        self._homes.setdefault(node, home)

    def _root(self, node: _Node) -> _Node:
        while self._parents[node] != node:
            self._parents[node] = self._parents[self._parents[node]]
            node = self._parents[node]
        return node


def _inverted(heirs: dict[int, _Node]) -> dict[_Node, list[int]]:
    found: dict[_Node, list[int]] = defaultdict(list)
    for cluster_id, root in heirs.items():
        found[root].append(cluster_id)
    return found
