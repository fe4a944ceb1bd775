"""Cross-entropy, perplexity, bits per character and error rates: against torch, at the extremes, and at the door."""

import math
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unrolled.metrics import (
    bits_per_character,
    cross_entropy,
    cross_entropy_backward,
    edit_distance,
    log_softmax,
    perplexity,
    pronunciation_errors,
    softmax,
)


@st.composite
def predictions(draw):
    """Logits `(..., V)` at any scale, and targets `(...)`."""
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)))
    V, scale, seed = draw(st.integers(1, 9)), draw(st.sampled_from([0.0, 0.1, 1.0, 30.0, 1e4])), draw(st.integers(0, 999))
    rng = np.random.default_rng(seed)
    return scale * rng.normal(size=(*shape, V)), rng.integers(0, V, size=shape)


@given(predictions())
def test_log_softmax_and_softmax_equal_torch(prediction):
    logits, _ = prediction
    np.testing.assert_allclose(log_softmax(logits), torch.tensor(logits).log_softmax(-1), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(softmax(logits), torch.tensor(logits).softmax(-1), rtol=1e-11, atol=1e-300)


@given(predictions())
def test_softmax_sums_to_1_and_is_the_exponential_of_log_softmax(prediction):
    logits, _ = prediction
    np.testing.assert_allclose(softmax(logits).sum(axis=-1), 1, rtol=1e-14)
    np.testing.assert_allclose(softmax(logits), np.exp(log_softmax(logits)), rtol=1e-11, atol=1e-300)


@given(predictions())
def test_loss_and_gradient_equal_torch(prediction):
    logits, Y = prediction
    theirs = torch.tensor(logits, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(theirs.reshape(-1, logits.shape[-1]), torch.tensor(Y).reshape(-1))
    loss.backward()
    assert cross_entropy(logits, Y) == pytest.approx(loss.item(), rel=1e-13, abs=1e-13)
    np.testing.assert_allclose(cross_entropy_backward(logits, Y), theirs.grad, rtol=1e-11, atol=1e-14)


@given(predictions(), st.floats(-1e4, 1e4))
def test_a_constant_added_to_the_logits_changes_nothing(prediction, constant):
    logits, Y = prediction
    assert cross_entropy(logits + constant, Y) == pytest.approx(cross_entropy(logits, Y), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logits_of_ten_thousand_overflow_nowhere(dtype):
    logits, Y = np.array([[1e4, -1e4, 0], [-1e4, -1e4, 1e4]], dtype), np.array([1, 2])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert cross_entropy(logits, Y) == pytest.approx(1e4)
        np.testing.assert_allclose(cross_entropy_backward(logits, Y), [[0.5, -0.5, 0], [0, 0, 0]])


def test_the_gradient_equals_central_differences():
    rng = np.random.default_rng(0)
    logits, Y = rng.normal(size=(3, 2, 5)), rng.integers(0, 5, size=(3, 2))
    numeric = np.empty_like(logits)
    for index in np.ndindex(logits.shape):
        step = np.zeros_like(logits)
        step[index] = 1e-5
        numeric[index] = (cross_entropy(logits + step, Y) - cross_entropy(logits - step, Y)) / 2e-5
    assert np.linalg.norm(cross_entropy_backward(logits, Y) - numeric) <= 1e-8 * np.linalg.norm(numeric)


@given(predictions())
def test_the_gradient_sums_to_zero_over_the_vocabulary(prediction):
    logits, Y = prediction
    np.testing.assert_allclose(cross_entropy_backward(logits, Y).sum(axis=-1), 0, atol=1e-14)


def test_logits_and_targets_are_left_alone_and_float32_stays_float32():
    rng = np.random.default_rng(0)
    logits, Y = rng.normal(size=(3, 2, 5)).astype(np.float32), rng.integers(0, 5, size=(3, 2))
    before = logits.copy(), Y.copy()
    assert cross_entropy_backward(logits, Y).dtype == np.float32
    assert isinstance(cross_entropy(logits, Y), float)
    np.testing.assert_array_equal(logits, before[0])
    np.testing.assert_array_equal(Y, before[1])


@pytest.mark.parametrize("loss", [cross_entropy, cross_entropy_backward])
@pytest.mark.parametrize(
    ("Y", "message"),
    [
        (np.zeros((1, 2), int), r"\(3, 2\) for logits of shape \(3, 2, 5\); received \(1, 2\)"),
        (np.zeros((3, 1), int), r"received \(3, 1\)"),
        (np.zeros((3, 2, 1), int), r"received \(3, 2, 1\)"),
        (np.full((3, 2), -1), r"0\.\.4 for V=5 logits; received -1\.\.-1"),
        (np.full((3, 2), 5), r"received 5\.\.5"),
        (np.zeros((3, 2)), "integer ids; received float64"),
    ],
)
def test_targets_that_do_not_fit_are_refused(loss, Y, message):
    with pytest.raises(ValueError, match=message):
        loss(np.zeros((3, 2, 5)), Y)


def test_a_mean_over_no_token_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        cross_entropy(np.zeros((0, 5)), np.zeros(0, int))


@given(st.integers(1, 5000), st.integers(1, 50))
def test_a_uniform_guess_has_the_perplexity_of_the_vocabulary(V, n):
    assert perplexity(np.full(n, -math.log(V))) == pytest.approx(V, rel=1e-12)


@given(st.lists(st.floats(1e-6, 1), min_size=1, max_size=30))
def test_perplexity_is_the_geometric_mean_of_one_over_p(p):
    inverse = 1 / np.array(p)
    assert perplexity(np.log(p)) == pytest.approx(np.prod(inverse ** (1 / len(p))), rel=1e-9)
    assert len(p) / sum(p) * (1 - 1e-9) <= perplexity(np.log(p)) <= inverse.mean() * (1 + 1e-9)


def test_perplexity_is_1_at_best_and_infinite_at_worst():
    assert perplexity(np.zeros(3)) == 1
    assert perplexity([0.0, -math.inf]) == math.inf


def test_perplexity_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one log-probability; received none"):
        perplexity([])


def test_two_equally_likely_characters_cost_one_bit():
    assert bits_per_character(math.log(2)) == pytest.approx(1, rel=1e-15)


def test_a_loss_per_word_is_shared_among_the_words_characters():
    assert bits_per_character(math.log(1024), characters_per_token=5) == pytest.approx(2, rel=1e-15)


def test_a_token_of_no_character_is_refused():
    with pytest.raises(ValueError, match="more than 0, received 0"):
        bits_per_character(1.0, characters_per_token=0)


tokens = st.lists(st.sampled_from("ab "), max_size=6)


@given(tokens, tokens)
def test_the_edit_distance_is_the_shortest_way_between_two_texts(a, b):
    @cache
    def shortest(i, j):
        if i == 0 or j == 0:
            return i + j
        return min(shortest(i - 1, j) + 1, shortest(i, j - 1) + 1, shortest(i - 1, j - 1) + (a[i - 1] != b[j - 1]))

    assert edit_distance(a, b) == shortest(len(a), len(b)) == edit_distance(b, a)


def test_any_listed_pronunciation_is_right_and_the_nearest_one_counts_the_phonemes():
    listed = {"tomato": ["T AH M EY T OW".split(), "T AH M AA T OW".split()], "a": [["AH"], ["EY"]]}
    outputs = {"tomato": "T AH M AA T".split(), "a": ["EY"]}
    assert pronunciation_errors(outputs, listed) == (1 / 2, 1 / 7)


def test_of_two_equally_near_pronunciations_the_longer_one_is_counted():
    assert pronunciation_errors({"x": ["A"]}, {"x": [["B"], ["A", "C"]]}) == (1, 1 / 2)


def test_the_phoneme_error_rate_can_exceed_1():
    assert pronunciation_errors({"x": ["A", "B", "C"]}, {"x": [["D"]]}) == (1, 3)


@pytest.mark.parametrize(("outputs", "listed"), [({}, {"x": [["A"]]}), ({"y": ["A"]}, {"x": [["A"]]}), ({"x": ["A"]}, {"x": []})])
def test_a_word_without_a_pronunciation_to_compare_with_is_refused(outputs, listed):
    with pytest.raises(ValueError, match="for each a pronunciation in the list"):
        pronunciation_errors(outputs, listed)
