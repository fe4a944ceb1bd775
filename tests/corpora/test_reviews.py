"""Reviews: order decides the label, and the words alone do not."""

import re
from collections import Counter, defaultdict

import numpy as np
import pytest

from unrolled.corpora import flipped_pairs, reviews
from unrolled.corpora.reviews import BLAME, NEGATIONS, PRAISE


def label_by_reading(text):
    """An independent reading: the last clause decides, a negation flips it."""
    words = re.split(" but | and ", text)[-1].split()
    praised = bool(set(words) & set(PRAISE))
    assert praised != bool(set(words) & set(BLAME))
    return int(praised != bool(set(words) & set(NEGATIONS)))


def test_labels_are_what_a_reader_would_say():
    assert all(label_by_reading(text) == label for text, label in reviews(500, seed=1))


def test_but_joins_clauses_that_disagree_and_and_joins_clauses_that_agree():
    for text, label in reviews(500, seed=2):
        first = re.split(" but | and ", text.split(" . ")[-1].removesuffix(" ."))[0]
        assert (label_by_reading(first) == label) == (" but " not in text)


@pytest.mark.parametrize(("n", "positive"), [(1, 0), (2, 1), (101, 50), (400, 200)])
def test_half_of_the_labels_are_positive(n, positive):
    assert sum(label for _, label in reviews(n, seed=0)) == positive


def test_the_seed_decides_the_reviews():
    assert reviews(50, seed=1) == reviews(50, seed=1) != reviews(50, seed=2)


def test_no_word_by_itself_tells_the_label():
    labels = defaultdict(list)
    for text, label in reviews(6000, seed=3):
        for word in set(text.split()):
            labels[word].append(label)
    for word, seen in labels.items():
        assert abs(np.mean(seen) - 0.5) < 4.5 * 0.5 / np.sqrt(len(seen)), word


def test_flipped_pairs_have_the_same_words_and_opposite_labels():
    for positive, negative in flipped_pairs(300, seed=4):
        assert Counter(positive.split()) == Counter(negative.split())
        assert label_by_reading(positive) == 1
        assert label_by_reading(negative) == 0


def clauses(text):
    """The clauses on the two sides of "but", without the opening."""
    return re.split(" [.:] ", text.removesuffix(" ."))[-1].split(" but ")


def test_flipped_pairs_swap_clauses_and_move_negations():
    kinds = Counter()
    for positive, negative in flipped_pairs(100, seed=4):
        kinds["swapped" if clauses(positive) == clauses(negative)[::-1] else "moved"] += 1
    assert kinds == {"swapped": 50, "moved": 50}


def test_the_seed_decides_the_pairs():
    assert flipped_pairs(20, seed=1) == flipped_pairs(20, seed=1) != flipped_pairs(20, seed=2)


def test_texts_are_plain_strings_of_lower_case_words_and_signs():
    for text, label in reviews(200, seed=5):
        assert type(text) is str
        assert type(label) is int
        assert re.fullmatch(r"[a-z]+( ([a-z]+|\.|:))* \.", text)


@pytest.mark.parametrize("draw", [reviews, flipped_pairs])
def test_bad_counts_are_refused(draw):
    with pytest.raises(ValueError, match="n should be at least 1"):
        draw(0, 0)
    with pytest.raises(TypeError, match="seed should be a whole number"):
        draw(3, "one")
