"""`one_hot`: ids as rows with a single 1."""

from __future__ import annotations

import numpy as np

from .... import reference, text
from ...task import Case, Mistake, Output, Section, Task
from ..common import sizes
from .shared import ASSIGNMENT

ONE_HOT = Section("recurrence/rnn-scratch", "scratch-one-hot", "Letters as one-hot rows")


def _one_hot_case(name: str, rng: np.random.Generator, T: int, N: int, V: int) -> Case:
    return Case(name, {"ids": rng.integers(0, V, size=(T, N)), "V": V})


def _one_hot_form(rng: np.random.Generator) -> Case:
    T, N, V = sizes(rng, 3)
    return _one_hot_case("several sequences", rng, T, N, V)


def _one_hot_values(rng: np.random.Generator) -> list[Case]:
    T, N, V = sizes(rng, 3)
    missing = rng.integers(0, V - 1, size=(T, N))
    missing[0, 0] = 0
    return [
        _one_hot_case("one token (T=1, N=1)", rng, 1, 1, V),
        Case("one sequence, every token once", {"ids": rng.permutation(V)[:, None], "V": V}),
        _one_hot_case("several sequences", rng, T, N, V),
        Case("the last token of the vocabulary does not occur", {"ids": missing, "V": V + 1}),
        _one_hot_case("as many steps as sequences and tokens (T=N=V)", rng, V, V, V),
    ]


def _marks_all_sequences(ids, V):
    X = np.zeros((*ids.shape, V))
    for t in range(len(ids)):
        X[t, :, ids[t]] = 1
    return X


def _marks_everything(ids, V):
    X = np.zeros((*ids.shape, V))
    X[..., ids] = 1
    return X


TASK = Task(
    name="one_hot", assignment=ASSIGNMENT, points=2, section=ONE_HOT,
    arguments={"ids": ("T", "N"), "V": None},
    outputs=(Output("X", "array", ("T", "N", "V")),),
    form_case=_one_hot_form, value_cases=_one_hot_values,
    reference=reference.one_hot, solution=text.one_hot,
    mistakes=(
        Mistake("off-by-one", "an encoding that counts tokens from 1: id i marks column i - 1, but ids start at 0",
                lambda ids, V: np.eye(V)[ids - 1]),
        Mistake("marks-all-sequences", "an assignment like X[t, :, ids[t]] = 1, which marks each sequence's token in every "
                "sequence's row: pair the sequence index with its own id", _marks_all_sequences),
        Mistake("marks-everything", "an assignment like X[..., ids] = 1, which marks every token of the batch in every row: each row gets "
                "a single 1, at its own id", _marks_everything),
        Mistake("width-from-ids", "an encoding whose width is the largest id + 1: the width is V, also when the last tokens do "
                "not occur", lambda ids, V: np.eye(ids.max() + 1)[ids]),
        Mistake("sequences-first", "an array (N, T, V): time is the first axis",
                lambda ids, V: np.eye(V)[ids.T]),
        Mistake("vocabulary-first", "an array whose first axis is the vocabulary: V is the last axis",
                lambda ids, V: np.moveaxis(np.eye(V)[ids], -1, 0).copy()),
        Mistake("vocabulary-in-the-middle", "an array (T, V, N): V is the last axis",
                lambda ids, V: np.swapaxes(np.eye(V)[ids], 1, 2).copy()),
        Mistake("flattened", "an array (T*N, V): keep the two axes of ids apart",
                lambda ids, V: np.eye(V)[ids.reshape(-1)]),
        Mistake("integers", "a right encoding in an integer dtype: ask for float64 where the array is made",
                lambda ids, V: np.eye(V, dtype=int)[ids]),
        Mistake("booleans", "a right encoding that is a bool array, as from a comparison: convert it to float64",
                lambda ids, V: ids[..., None] == np.arange(V)),
    ),
)
