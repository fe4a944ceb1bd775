"""`build_vocab`: the frequent tokens, and the id of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np

from .... import reference, text
from ...task import Case, Mistake, Output, Section, Task
from .shared import ASSIGNMENT, made_up_words

VOCABULARY = Section("sequences/text", "text-vocabulary", "A vocabulary, and what is not in it")


def _shuffled(rng: np.random.Generator, counts: dict[str, int]) -> list[str]:
    tokens = [token for token, count in counts.items() for _ in range(count)]
    rng.shuffle(tokens)
    return tokens


def _distinct(rng: np.random.Generator, count: int) -> list[str]:
    words: list[str] = []
    while len(words) < count:
        words += [word for word in made_up_words(rng, 1) if word not in words]
    return words


def _vocab_form(rng: np.random.Generator) -> Case:
    return Case("a few letters", {"tokens": _shuffled(rng, {"a": 3, "b": 2, " ": 4})})


def _vocab_values(rng: np.random.Generator) -> list[Case]:
    letters = [str(letter) for letter in rng.permutation(list("abcdefghijklmnop"))]
    words = _distinct(rng, 6)
    falling = sorted(letters[:5], reverse=True)  # first seen in the order z..a, all equally often
    return [
        Case("one token", {"tokens": [letters[0]] * 3}),
        Case("every token with a frequency of its own",
             {"tokens": _shuffled(rng, {letter: 2 + i for i, letter in enumerate(letters[:5])})}),
        Case("equally frequent tokens, the last of the alphabet first", {"tokens": falling * 2}),
        Case("different frequencies, with ties",
             {"tokens": [falling[0]] + _shuffled(rng, {letter: 1 + i // 2 for i, letter in enumerate(letters[:7])})}),
        Case("words", {"tokens": _shuffled(rng, {word: 1 + i // 2 for i, word in enumerate(words)})}),
        Case("spaces and signs among the letters",
             {"tokens": _shuffled(rng, {" ": 4, letters[0]: 4, ".": 2, letters[1]: 2, letters[2]: 5})}),
        Case("numbers in words, longer than one letter and of ten and more equal ones",
             {"tokens": _shuffled(rng, {f"{word}{i}": 2 for i, word in enumerate(_distinct(rng, 12))})}),
    ]


def _vocab_sorted(key: Callable, first: int = 1, **options) -> Callable:
    """A vocabulary in the order of `key(token, count)`, with ids from `first`."""

    def build_vocab(tokens):
        counts = Counter(tokens)
        order = sorted(counts, key=lambda token: key(token, counts[token]), **options)
        return {"<unk>": 0, **{token: i for i, token in enumerate(order, first)}}

    return build_vocab


def _right_vocab(tokens):
    return {token: i for i, token in enumerate(text.Vocabulary(tokens).tokens)}


def _in_order_of_appearance(tokens):
    return {token: i for i, token in enumerate(dict.fromkeys(["<unk>", *tokens]))}


TASK = Task(
    name="build_vocab", assignment=ASSIGNMENT, points=3, section=VOCABULARY,
    arguments={"tokens": None},
    outputs=(Output("vocab", "mapping", items=(Output("id", "int"),)),),
    form_case=_vocab_form, value_cases=_vocab_values,
    reference=reference.build_vocab, solution=_right_vocab,
    mistakes=(
        Mistake("no-unknown", "a vocabulary without <unk>, but with ids from 1", lambda tokens: {
            token: i for token, i in _right_vocab(tokens).items() if i}),
        Mistake("no-unknown-from-0", "a vocabulary without <unk>: the id 0 belongs to it", lambda tokens: {
            token: i - 1 for token, i in _right_vocab(tokens).items() if i}),
        Mistake("unknown-last", "a vocabulary with <unk> at its end: its id is 0", lambda tokens: {
            token: (i - 1) % len(_right_vocab(tokens)) for token, i in _right_vocab(tokens).items()}),
        Mistake("unknown-shares-0", "a vocabulary in which <unk> and the most frequent token share the id 0",
                _vocab_sorted(lambda token, count: (-count, token), first=0)),
        Mistake("from-2", "a vocabulary that leaves the id 1 out", _vocab_sorted(lambda token, count: (-count, token), first=2)),
        Mistake("unknown-capitals", "a vocabulary whose unknown token is written <UNK>: write <unk>", lambda tokens: {
            token.replace("<unk>", "<UNK>"): i for token, i in _right_vocab(tokens).items()}),
        Mistake("rising-frequency", "a vocabulary that begins with the rarest token: the most frequent one gets id 1",
                _vocab_sorted(lambda token, count: (count, token))),
        Mistake("ties-reversed", "a vocabulary whose ties stand in reverse alphabetical order, as from sorting (count, token) with "
                "reverse=True: sort by (-count, token)", _vocab_sorted(lambda token, count: (count, token), reverse=True)),
        Mistake("ties-by-appearance", "a vocabulary whose ties stand in the order of first appearance, as from most_common(): ties are "
                "alphabetical", _vocab_sorted(lambda token, count: -count)),
        Mistake("ties-by-length", "a vocabulary whose ties are sorted by length: ties are alphabetical",
                _vocab_sorted(lambda token, count: (-count, len(token), token))),
        Mistake("alphabetical", "a vocabulary in alphabetical order: frequency comes first", _vocab_sorted(lambda token, count: token)),
        Mistake("order-of-appearance", "a vocabulary in the order of first appearance: frequency comes first", _in_order_of_appearance),
        Mistake("every-occurrence", "a vocabulary that numbers every occurrence, not every different token", lambda tokens: {
            "<unk>": 0, **{token: i for i, token in enumerate(tokens, 1)}}),
        Mistake("counts", "the counts in place of the ids", lambda tokens: {"<unk>": 0, **Counter(tokens)}),
        Mistake("characters", "a vocabulary of characters: a token may be a whole word",
                lambda tokens: _right_vocab("".join(tokens))),
        Mistake("frequent-only", "a vocabulary without the tokens that occur once: every token gets an id",
                lambda tokens: _right_vocab([token for token in tokens if tokens.count(token) > 1] or tokens)),
        Mistake("inside-out", "a dict from ids to tokens: it leads from a token to its id",
                lambda tokens: {i: token for token, i in _right_vocab(tokens).items()}),
        Mistake("list", "a right list of tokens: return a dict from token to id", lambda tokens: list(_right_vocab(tokens))),
        Mistake("strings", "ids as strings: they are whole numbers",
                lambda tokens: {token: str(i) for token, i in _right_vocab(tokens).items()}),
        Mistake("sorts-the-tokens", "a right vocabulary from a function that sorts the caller's list in place: use sorted()",
                lambda tokens: (_right_vocab(tokens), tokens.sort())[0]),
    ),
)
