"""Short opinions in which word order decides: "not" and "hardly" flip an adjective, and what follows "but" wins.

A review is one clause, two that agree joined by "and", or two that disagree joined by "but". A clause is negated as
often as not, so no word by itself says anything about the label: a linear model of a bag of words is at chance.
`flipped_pairs` gives pairs with the very same words and opposite labels, which no model of a bag of words can part.
"""

import numpy as np

from ._ask import whole_number

ASPECTS = ["food", "service", "room", "music", "coffee", "view", "bread", "garden", "price", "soup"]
PRAISE = ["good", "great", "lovely", "fine", "superb", "pleasant"]
BLAME = ["bad", "poor", "awful", "dull", "dreadful", "sad"]
NEGATIONS = ["not", "hardly"]
OPENINGS = ["", "", "we came on monday . ", "my friends and i stayed for a week . ", "so this is my view : "]

POSITIVE, NEGATIVE = 1, 0


def reviews(n: int, seed: int) -> list[tuple[str, int]]:
    """Draw `n` reviews, each a text and its label, 1 for positive and 0 for negative; the same seed gives the same.

    Half of the labels are positive (for odd `n`, one fewer). Words and signs are separated by single spaces, in lower
    case: "the food is not good but the view is lovely ." is positive. Raises TypeError or ValueError unless `n` is a
    whole number of at least 1 and `seed` one of at least 0.
    """
    n, seed = whole_number(n, "n", least=1), whole_number(seed, "seed")
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % 2).tolist()
    return [(_review(rng, label), label) for label in labels]


def flipped_pairs(n: int, seed: int) -> list[tuple[str, str]]:
    """Draw `n` pairs (positive review, negative review) made of the very same words; the same seed gives the same.

    Half of the pairs (for odd `n`, one more) swap the two clauses of a "but"; the others move its one negation from
    one clause to the other. Raises TypeError or ValueError unless `n` is a whole number of at least 1 and `seed` one
    of at least 0.
    """
    n, seed = whole_number(n, "n", least=1), whole_number(seed, "seed")
    rng = np.random.default_rng(seed)
    return [_swap_clauses(rng) if i % 2 == 0 else _move_negation(rng) for i in range(n)]


def _review(rng: np.random.Generator, label: int) -> str:
    one, other = rng.choice(ASPECTS, size=2, replace=False)
    form = rng.integers(3)
    opening = rng.choice(OPENINGS)
    if form == 0:
        return f"{opening}{_opinion(rng, one, label)} ."
    if form == 1:
        return f"{opening}{_opinion(rng, one, label)} and {_opinion(rng, other, label)} ."
    return f"{opening}{_opinion(rng, one, 1 - label)} but {_opinion(rng, other, label)} ."


def _opinion(rng: np.random.Generator, aspect: str, label: int) -> str:
    """A clause of that label, negated or not with equal chances."""
    negation = rng.choice(NEGATIONS) if rng.random() < 0.5 else ""
    adjective = rng.choice(PRAISE if (label == POSITIVE) != bool(negation) else BLAME)
    return _clause(aspect, negation, adjective)


def _clause(aspect: str, negation: str, adjective: str) -> str:
    return " ".join(["the", aspect, "is", *([negation] if negation else []), adjective])


def _swap_clauses(rng: np.random.Generator) -> tuple[str, str]:
    one, other = rng.choice(ASPECTS, size=2, replace=False)
    opening = rng.choice(OPENINGS)
    praising, blaming = _opinion(rng, one, POSITIVE), _opinion(rng, other, NEGATIVE)
    return f"{opening}{blaming} but {praising} .", f"{opening}{praising} but {blaming} ."


def _move_negation(rng: np.random.Generator) -> tuple[str, str]:
    one, other = rng.choice(ASPECTS, size=2, replace=False)
    opening, negation = rng.choice(OPENINGS), rng.choice(NEGATIONS)
    praising = rng.random() < 0.5
    first, second = rng.choice(PRAISE if praising else BLAME, size=2)
    negated_first = f"{opening}{_clause(one, negation, first)} but {_clause(other, '', second)} ."
    negated_second = f"{opening}{_clause(one, '', first)} but {_clause(other, negation, second)} ."
    return (negated_first, negated_second) if praising else (negated_second, negated_first)
