"""The references of assignment 07: equal to plain NumPy, to exhaustive search, and to sacreBLEU."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics import BLEU

from unrolled import reference

sizes = {name: st.integers(1, 5) for name in "TNDEH"} | {"seed": st.integers(0, 99)}
tables = {"V": st.integers(2, 4), "max_len": st.integers(1, 4), "seed": st.integers(0, 10_000)}


def log_table(V, seed):
    return np.log(np.random.default_rng(seed).dirichlet(np.ones(V), size=V))


def every_sequence(V, end, max_len):
    """All sequences that decoding may return: those that stop at their first end, and those of max_len ids without one."""
    for length in range(1, max_len + 1):
        for ids in itertools.product(range(V), repeat=length):
            if end not in ids[:-1] and (ids[-1] == end or length == max_len):
                yield ids


def total(log_p, start, ids):
    return sum(log_p[i, j] for i, j in zip((start, *ids), ids))


# --- Attention ---------------------------------------------------------------------------------


@st.composite
def attention_arguments(draw):
    T, N, D, E, seed = (draw(sizes[name]) for name in ("T", "N", "D", "E", "seed"))
    rng = np.random.default_rng(seed)
    lengths = np.array(draw(st.lists(st.integers(1, T), min_size=N, max_size=N)))
    return rng.normal(size=(N, D)), rng.normal(size=(T, N, D)), rng.normal(size=(T, N, E)), lengths


@given(attention_arguments())
def test_attention_equals_plain_numpy_over_the_real_positions(arguments):
    query, keys, values, lengths = arguments
    context, weights = reference.attention(query, keys, values, lengths)
    for n, length in enumerate(lengths):
        exponentials = np.exp(keys[:length, n] @ query[n] / math.sqrt(query.shape[1]))
        np.testing.assert_allclose(weights[:length, n], exponentials / exponentials.sum(), rtol=0, atol=1e-13)
        np.testing.assert_allclose(context[n], exponentials @ values[:length, n] / exponentials.sum(), rtol=0, atol=1e-13)


@given(attention_arguments())
def test_weights_of_the_padding_are_exactly_zero(arguments):
    _, weights = reference.attention(*arguments)
    assert (weights[np.arange(len(weights))[:, None] >= arguments[-1]] == 0).all()


@given(attention_arguments())
def test_weights_of_a_sequence_sum_to_one(arguments):
    _, weights = reference.attention(*arguments)
    np.testing.assert_allclose(weights.sum(axis=0), 1, rtol=0, atol=1e-13)


# --- Decoding ----------------------------------------------------------------------------------


@settings(max_examples=50)
@given(**tables)
def test_beam_as_wide_as_all_sequences_finds_the_best_of_them(V, max_len, seed):
    log_p, start, end = log_table(V, seed), 0, V - 1
    ids, log_probability = reference.beam_search(log_p, start, end, V**max_len, max_len)
    best = max(every_sequence(V, end, max_len), key=lambda ids: total(log_p, start, ids))
    assert tuple(ids) == best
    assert log_probability == pytest.approx(total(log_p, start, best), rel=1e-12)


@given(**tables)
def test_beam_of_width_one_is_greedy(V, max_len, seed):
    arguments = log_table(V, seed), 0, V - 1
    assert reference.beam_search(*arguments, 1, max_len)[0] == reference.greedy_decode(*arguments, max_len)


@given(**tables)
def test_greedy_decoding_takes_the_likeliest_id_at_each_step_until_the_end(V, max_len, seed):
    log_p, end = log_table(V, seed), V - 1
    ids = reference.greedy_decode(log_p, 0, end, max_len)
    assert tuple(ids) in set(every_sequence(V, end, max_len))
    assert ids == [log_p[i].argmax() for i in (0, *ids[:-1])]


def test_of_equally_likely_ids_greedy_decoding_takes_the_lowest():
    assert reference.greedy_decode(np.zeros((3, 3)), 0, 2, 2) == [0, 0]


def test_of_equally_likely_sequences_the_beam_takes_the_lexicographically_smaller():
    assert reference.beam_search(np.zeros((3, 3)), 0, 2, 9, 2)[0] == [0, 0]


# --- BLEU --------------------------------------------------------------------------------------

words = st.sampled_from(["the", "key", "is", "on", "a", "table"])


@given(candidate=st.lists(words, max_size=12), others=st.lists(words, min_size=1, max_size=12), kept=st.integers(0, 12), n=st.integers(1, 4))
def test_bleu_equals_that_of_sacrebleu_without_smoothing(candidate, others, kept, n):
    """The reference begins as the candidate does, so that longer n-grams match, too."""
    right = candidate[:kept] + others
    scorer = BLEU(tokenize="none", smooth_method="none", max_ngram_order=n)
    expected = scorer.corpus_score([" ".join(candidate)], [[" ".join(right)]]).score / 100
    assert reference.bleu(candidate, right, n) == pytest.approx(expected, rel=1e-12, abs=1e-12)


# --- A linear recurrence -----------------------------------------------------------------------


@given(**{name: sizes[name] for name in ("T", "N", "H", "seed")})
def test_states_of_the_linear_recurrence_equal_a_plain_loop(T, N, H, seed):
    rng = np.random.default_rng(seed)
    a, b, h = rng.uniform(-1, 1, (T, N, H)), rng.normal(size=(T, N, H)), rng.normal(size=(N, H))
    states = reference.minimal_scan(a, b, h)
    for t in range(T):
        h = a[t] * h + b[t]
        np.testing.assert_allclose(states[t], h, rtol=0, atol=1e-13)
