"""`split_by_group`: which rows are held out, so that no group is torn apart."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .... import reference
from ...task import Case, Mistake, Output, Section, Task
from .shared import ASSIGNMENT

SPLIT = Section("tasks/languages", "languages-split", "Split by what is named")


def _names(rng: np.random.Generator, count: int) -> list[str]:
    letters = list("abcdefghijklmnopqrstuvwxyz")
    return [f"{a}{b}" for a, b in zip(rng.permutation(letters)[:count], rng.permutation(letters)[:count], strict=True)]


def _case(name: str, groups: list[str], order: list[str], share: float) -> Case:
    return Case(name, {"groups": list(groups), "order": list(order), "share": share})


def _drawn(rng: np.random.Generator, sizes: list[int], share: float, wanted: Callable[[list[str], list[str], float], bool]) -> tuple:
    """Rows of groups of these sizes in random order, and an order of the groups, such that `wanted` holds."""
    while True:
        names = _names(rng, len(sizes))
        groups = [str(name) for name in rng.permutation(np.repeat(names, sizes))]
        order = [str(name) for name in rng.permutation(names)]
        if wanted(groups, order, share):
            return groups, order, share


def _passes(groups, order, share) -> bool:
    """More is held out than was asked for, since the last group goes in whole; the order is no other one that suggests itself."""
    held = split(groups, order, share)[1]
    others = (sorted(order), list(dict.fromkeys(groups)), order[::-1])
    return len(held) > share * len(groups) and all(split(groups, other, share)[1] != held for other in others)


def _meets(groups, order, share) -> bool:
    """Exactly what was asked for is held out, by two groups or more."""
    held = split(groups, order, share)[1]
    return len(held) == share * len(groups) and len({groups[row] for row in held}) >= 2


def _form(rng: np.random.Generator) -> Case:
    return _case("a few rows", *_drawn(rng, [2, 3, 4], 0.25, _passes))


def _values(rng: np.random.Generator) -> list[Case]:
    ones = _drawn(rng, [1] * 16, 0.25, _meets)
    alike = ["1", "10", "a", "aa", "100"]
    rows = [str(name) for name in rng.permutation(np.repeat(alike, [3, 2, 4, 3, 2]))]
    return [
        _case("two groups, row by row", *_drawn(rng, [4, 4], 0.5, lambda groups, order, _: order != sorted(order) and groups[0] != order[0])),
        _case("groups of one row each: the part held out has exactly its share", *ones),
        _case("groups of several sizes", *_drawn(rng, [1, 2, 4, 3, 6], 0.375, _passes)),
        _case("exactly the share, by several groups", *_drawn(rng, [2, 2, 4, 3, 5], 0.25, _meets)),
        _case("a first group that is larger than the share", *_drawn(rng, [9, 2, 3, 2], 0.25, lambda groups, order, _: (
            groups.count(order[0]) == 9 and groups[0] != order[0]))),
        _case("names that contain others", rows, ["1", "a", *[str(name) for name in rng.permutation(["10", "aa", "100"])]], 0.375),
        _case("many rows", *_drawn(rng, [3, 7, 1, 12, 5, 8, 2, 9, 13], 0.375, _passes)),
        _case("most rows held out", *_drawn(rng, [3, 5, 2, 6, 4, 4], 0.75, _passes)),
    ]


def _parts(groups, held) -> tuple[list[int], list[int]]:
    return [row for row, group in enumerate(groups) if group not in held], [row for row, group in enumerate(groups) if group in held]


def split(groups, order, share, *, enough=lambda rows, wanted: rows >= wanted):
    """Groups in their order, until there are enough rows."""
    held, rows = set(), 0
    for group in order:
        if enough(rows, share * len(groups)):
            break
        held.add(group)
        rows += list(groups).count(group)
    return _parts(groups, held)


def _stops_before(groups, order, share):
    held, rows = set(), 0
    for group in order:
        rows += groups.count(group)
        if rows > share * len(groups):
            break
        held.add(group)
    return _parts(groups, held)


def _whatever_fits(groups, order, share):
    """Skips groups that would go beyond the share, and goes on."""
    held, rows = set(), 0
    for group in order:
        if rows + groups.count(group) <= share * len(groups):
            held.add(group)
            rows += groups.count(group)
    return _parts(groups, held)


def _torn(groups, order, share):
    """The rows of the groups in their order, cut where the share is reached."""
    rows = sorted(range(len(groups)), key=lambda row: order.index(groups[row]))
    cut = -int(-share * len(groups) // 1)
    return sorted(rows[cut:]), sorted(rows[:cut])


def _cut_rows(groups, order, share):
    cut = len(groups) - -int(-share * len(groups) // 1)
    return list(range(cut)), list(range(cut, len(groups)))


def _share_of_groups(groups, order, share):
    return _parts(groups, order[: max(1, round(share * len(order)))])


def _by_parts_of_names(groups, order, share):
    held = {groups[row] for row in split(groups, order, share)[1]}
    inside = [any(name in group for name in held) for group in groups]
    return [row for row, found in enumerate(inside) if not found], [row for row, found in enumerate(inside) if found]


def _then(change: Callable) -> Callable:
    return lambda groups, order, share: change(*split(groups, order, share), groups, order)


TASK = Task(
    name="split_by_group", assignment=ASSIGNMENT, points=2, section=SPLIT,
    arguments={"groups": None, "order": None, "share": None},
    outputs=(Output("train", "list", items=(Output("row", "int"),)), Output("held_out", "list", items=(Output("row", "int"),))),
    form_case=_form, value_cases=_values,
    reference=reference.split_by_group, solution=split,
    mistakes=(
        Mistake("rows-not-groups", "a split that cuts the rows at one place and takes no notice of the groups", _cut_rows),
        Mistake("last-group-torn", "a split that cuts the last group apart to meet the share exactly: a group goes in whole", _torn),
        Mistake("share-of-groups", "a split that holds out a share of the groups: it is a share of the rows", _share_of_groups),
        Mistake("swapped", "the two parts in the wrong order: `train` comes first", _then(lambda train, held, *_: (held, train))),
        Mistake("share-for-training", "a split in which `share` is what training gets: it is the share that is held out",
                lambda groups, order, share: split(groups, order, share)[::-1] if share == 0.5 else split(groups, order, 1 - share)),
        Mistake("stops-before", "a split that leaves out the group that would go beyond the share: groups go in until the share is reached",
                _stops_before),
        Mistake("whatever-fits", "a split that skips groups which would go beyond the share: they go in as the order has them", _whatever_fits),
        Mistake("one-more", "a split that takes one more group where the share is exactly met: stop there",
                lambda groups, order, share: split(groups, order, share, enough=lambda rows, wanted: rows > wanted)),
        Mistake("first-group-only", "a split that holds out the first group alone", lambda groups, order, share: _parts(groups, order[:1])),
        Mistake("from-the-end", "a split that takes the groups from the end of `order`", lambda groups, order, share: (
            split(groups, order[::-1], share))),
        Mistake("alphabetical", "a split that takes the groups by the alphabet: take them as `order` has them", lambda groups, order, share: (
            split(groups, sorted(order), share))),
        Mistake("by-appearance", "a split that takes the groups as they appear in the rows: take them as `order` has them",
                lambda groups, order, share: split(groups, list(dict.fromkeys(groups)), share)),
        Mistake("group-by-group", "right rows, listed group by group: each list rises", _then(lambda train, held, groups, order: (
            train, sorted(held, key=lambda row: order.index(groups[row]))))),
        Mistake("parts-of-names", "a split that holds out rows whose group contains a chosen name: names must be equal", _by_parts_of_names),
        Mistake("names", "names of groups in place of the numbers of rows", _then(lambda train, held, groups, _: (
            [groups[row] for row in train], [groups[row] for row in held]))),
        Mistake("from-1", "rows counted from 1: the first row is 0", _then(lambda train, held, *_: ([row + 1 for row in train],
                                                                                                    [row + 1 for row in held]))),
        Mistake("held-out-only", "the rows held out alone: return both parts", _then(lambda train, held, *_: held)),
        Mistake("masks", "lists of true and false: return the numbers of the rows", _then(lambda train, held, groups, _: (
            [row in set(train) for row in range(len(groups))], [row in set(held) for row in range(len(groups))]))),
        Mistake("order-emptied", "a right split from a function that empties the caller's `order`: work on a copy",
                lambda groups, order, share: (split(groups, order, share), order.clear())[0]),
    ),
)
