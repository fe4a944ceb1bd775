"""Tokens, vocabulary, and the two ways to cut a text into batches."""

import re
import string
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.text import UNKNOWN, Vocabulary, one_hot, random_batches, sequential_batches, tokenize, words

# --- Tokens ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("It is raining.", "it is raining"),
        ("  a\n\t--B7c  ", "a b c"),
        ("naïve café", "na ve caf"),
        ("don't", "don t"),
        ("1234 .,;", ""),
        ("", ""),
    ],
)
def test_runs_of_anything_but_letters_become_one_space(text, tokens):
    assert tokenize(text) == list(tokens)


@given(st.text())
def test_tokens_are_letters_and_single_inner_spaces(text):
    tokens = "".join(tokenize(text))
    assert re.fullmatch("([a-z]+( [a-z]+)*)?", tokens)


@given(st.text())
def test_tokenizing_twice_changes_nothing(text):
    once = tokenize(text)
    assert tokenize("".join(once)) == once


@given(st.text())
def test_words_are_what_stands_between_the_spaces(text):
    assert words(text) == "".join(tokenize(text)).split()


# --- Vocabulary --------------------------------------------------------------------------------


def test_unknown_comes_first_then_falling_frequency_then_the_alphabet():
    assert Vocabulary("ccbbdaaa").tokens == [UNKNOWN, "a", "b", "c", "d"]


@given(st.lists(st.sampled_from(string.ascii_lowercase), min_size=1))
def test_ids_follow_falling_frequency_with_ties_in_alphabetical_order(tokens):
    counts = Counter(tokens)
    listed = Vocabulary(tokens).tokens
    assert listed[0] == UNKNOWN
    assert listed[1:] == sorted(counts, key=lambda token: (-counts[token], token))


@given(st.lists(st.text(max_size=3), min_size=1).filter(lambda tokens: set(tokens) != {UNKNOWN}))
def test_decoding_gives_back_what_was_encoded(tokens):
    vocabulary = Vocabulary(tokens)
    assert vocabulary.decode(vocabulary.encode(tokens)) == tokens


def test_unknown_tokens_get_id_0():
    vocabulary = Vocabulary("aab")
    np.testing.assert_array_equal(vocabulary.encode("azb"), [1, 0, 2])
    assert vocabulary.id("z") == 0
    assert "z" not in vocabulary
    assert "a" in vocabulary


def test_ids_are_int64_even_of_no_token():
    ids = Vocabulary("a").encode([])
    assert ids.dtype == np.int64
    assert ids.shape == (0,)


def test_the_unknown_token_in_a_text_keeps_id_0_and_is_listed_once():
    vocabulary = Vocabulary([UNKNOWN, UNKNOWN, "a"])
    assert vocabulary.tokens == [UNKNOWN, "a"]
    assert vocabulary.id(UNKNOWN) == 0


def test_rare_tokens_are_left_out():
    assert Vocabulary("aaabbc", min_count=2).tokens == [UNKNOWN, "a", "b"]


@pytest.mark.parametrize("i", [-1, 3, 99])
def test_an_id_that_no_token_has_is_refused(i):
    with pytest.raises(ValueError, match=f"run from 0 to 2; received {i}"):
        Vocabulary("ab").decode([1, i])


def test_an_empty_text_makes_no_vocabulary():
    with pytest.raises(ValueError, match="at least one token; received none"):
        Vocabulary([])


def test_a_minimal_count_below_1_is_refused():
    with pytest.raises(ValueError, match="min_count must be 1 or more, received 0"):
        Vocabulary("ab", min_count=0)


# --- One-hot -----------------------------------------------------------------------------------


@given(st.data())
def test_one_hot_is_a_row_of_the_identity(data):
    V = data.draw(st.integers(1, 9))
    shape = data.draw(st.lists(st.integers(0, 4), max_size=3))
    ids = np.random.default_rng(0).integers(0, V, size=shape)
    rows = one_hot(ids, V)
    assert rows.dtype == np.float64
    np.testing.assert_array_equal(rows, np.eye(V)[ids])


@pytest.mark.parametrize("ids", [[0, 3], [-1, 0]])
def test_one_hot_refuses_ids_beyond_the_vocabulary(ids):
    with pytest.raises(ValueError, match=re.escape(f"0..2 for V=3; received {min(ids)}..{max(ids)}")):
        one_hot(np.array(ids), 3)


def test_one_hot_refuses_what_is_no_id():
    with pytest.raises(ValueError, match="integers; received float64"):
        one_hot(np.array([0.0, 1.0]), 3)


# --- Sequential batches ------------------------------------------------------------------------


def sizes(most_tokens=80):
    """A text of n tokens, and a batch and an offset that leave room for at least one batch."""

    @st.composite
    def draw(draw):
        N, T, offset = draw(st.integers(1, 5)), draw(st.integers(1, 6)), draw(st.integers(0, 7))
        return draw(st.integers(offset + N * T + 1, most_tokens + offset)), N, T, offset

    return draw()


@given(sizes())
def test_sequential_batches_mean_exactly_what_the_syllabus_says(request_):
    n, N, T, offset = request_
    ids = np.arange(100, 100 + n)
    L = (n - offset - 1) // N
    batches = sequential_batches(ids, N, T, offset)
    assert len(batches) == L // T
    for k, (X, Y) in enumerate(batches):
        assert X.shape == Y.shape == (T, N)
        for row in range(N):
            start = offset + row * L + k * T
            np.testing.assert_array_equal(X[:, row], ids[start : start + T])
            np.testing.assert_array_equal(Y[:, row], ids[start + 1 : start + 1 + T])


@given(sizes())
def test_each_sequential_batch_continues_the_last_one(request_):
    n, N, T, offset = request_
    batches = sequential_batches(np.arange(n), N, T, offset)
    for (_, Y), (X, _) in zip(batches, batches[1:], strict=False):
        np.testing.assert_array_equal(X[0], Y[-1])  # what was to be guessed last is read first


@given(sizes())
def test_the_shortest_text_for_one_batch_gives_one_and_a_token_less_is_refused(request_):
    _, N, T, offset = request_
    needed = offset + N * T + 1
    assert len(sequential_batches(np.arange(needed), N, T, offset)) == 1
    with pytest.raises(ValueError, match=f"needs at least {needed} tokens here; received {needed - 1}"):
        sequential_batches(np.arange(needed - 1), N, T, offset)


def test_sequential_batches_take_a_list_and_leave_it_alone():
    ids = list(range(20))
    sequential_batches(ids, 2, 3)
    assert ids == list(range(20))


@pytest.mark.parametrize("cut", [sequential_batches, lambda ids, N, T: random_batches(ids, N, T, np.random.default_rng(0))])
@pytest.mark.parametrize(
    ("ids", "N", "T", "message"),
    [
        (np.arange(0), 1, 1, "needs at least 2 tokens here; received 0"),
        (np.arange(9), 0, 3, "N >= 1 sequences of T >= 1 steps; received N=0, T=3"),
        (np.arange(9), -2, 3, "received N=-2, T=3"),
        (np.arange(9), 2, 0, "received N=2, T=0"),
        (np.arange(9), 4, 5, "at least 21 tokens here; received 9: use a smaller batch or a longer text"),
        (np.zeros((30, 30), int), 2, 2, r"ids of shape \(n,\); received shape \(30, 30\)"),
    ],
)
def test_a_batch_that_cannot_be_cut_is_refused_at_once(cut, ids, N, T, message):
    with pytest.raises(ValueError, match=message):
        cut(ids, N, T)


def test_a_negative_offset_is_refused():
    with pytest.raises(ValueError, match="offset must be 0 or more, received -1"):
        sequential_batches(np.arange(20), 2, 3, offset=-1)


# --- Random batches ----------------------------------------------------------------------------


@given(sizes(), st.integers(0, 99))
def test_random_batches_are_windows_of_the_text_with_targets_one_further_on(request_, seed):
    n, N, T, _ = request_
    ids = np.arange(100, 100 + n)
    batches = list(random_batches(ids, N, T, np.random.default_rng(seed)))
    assert batches
    for X, Y in batches:
        assert X.shape == Y.shape == (T, N)
        np.testing.assert_array_equal(Y, X + 1)
        np.testing.assert_array_equal(np.diff(X, axis=0), 1)
        assert X.min() >= ids[0]
        assert Y.max() <= ids[-1]


@given(sizes(), st.integers(0, 99))
def test_windows_of_an_epoch_never_overlap(request_, seed):
    n, N, T, _ = request_
    read = np.concatenate([X.ravel() for X, _ in random_batches(np.arange(n), N, T, np.random.default_rng(seed))])
    assert len(np.unique(read)) == len(read)


@given(sizes())
def test_an_epoch_leaves_out_less_than_a_batch_and_an_offset(request_):
    n, N, T, _ = request_
    count = sum(1 for _ in random_batches(np.arange(n), N, T, np.random.default_rng(0)))
    assert count >= max(1, (n - T) // T // N)
    assert count <= (n - 1) // (N * T)


def test_random_batches_repeat_with_the_seed_and_differ_without():
    def starts(seed):
        return [X[0].tolist() for X, _ in random_batches(np.arange(500), 4, 5, np.random.default_rng(seed))]

    assert starts(1) == starts(1)
    assert starts(1) != starts(2)


def test_windows_start_at_every_offset_over_the_epochs():
    rng = np.random.default_rng(0)
    offsets = {int(X[0, 0]) % 5 for _ in range(100) for X, _ in random_batches(np.arange(200), 4, 5, rng)}
    assert offsets == set(range(5))


def test_windows_come_in_random_order():
    starts = np.concatenate([X[0] for X, _ in random_batches(np.arange(2000), 4, 5, np.random.default_rng(0))])
    assert abs(np.corrcoef(starts, np.arange(len(starts)))[0, 1]) < 0.25  # 5 standard deviations for 396 windows
