"""The small tasks on which pages watch gradients, and the tests of agreement for models of words."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from unrolled import cells, corpora, toy_tasks, verbs
from unrolled.text import Vocabulary


def by_autograd(loss, params):
    tensors = {name: torch.tensor(array, requires_grad=True) for name, array in params.items()}
    loss(*tensors.values()).backward()
    return {name: tensor.grad.numpy() for name, tensor in tensors.items()}


def test_the_gradients_of_the_sum_task_are_autograds():
    rng = np.random.default_rng(0)
    params = toy_tasks.init_sum(rng, H=5)
    X, y = toy_tasks.sum_batch(rng, N=3, T=7)

    def loss(W_xh, W_hh, b_h, W_hq, b_q):
        H = torch.zeros(3, 5, dtype=torch.float64)
        for x in torch.tensor(X):
            H = x @ W_xh + H @ W_hh + b_h
        return ((H @ W_hq + b_q - torch.tensor(y)) ** 2).mean()

    _, grads = toy_tasks.sum_loss_and_gradients(params, X, y)
    truth = by_autograd(loss, params)
    assert all(np.allclose(grads[name], truth[name], rtol=0, atol=1e-10) for name in params)


def test_the_gradients_of_the_first_symbol_task_are_autograds():
    rng = np.random.default_rng(0)
    params = toy_tasks.init_first(rng, "orthogonal", H=5)
    X, y = toy_tasks.first_symbol_batch(rng, lag=6, N=4)

    def loss(W_xh, W_hh, b_h, W_hq, b_q):
        H = torch.zeros(4, 5, dtype=torch.float64)
        for x in torch.tensor(X):
            H = torch.tanh(W_xh[x] + H @ W_hh + b_h)
        return torch.nn.functional.cross_entropy(H @ W_hq + b_q, torch.tensor(y))

    _, grads, _ = toy_tasks.first_loss_and_gradients(params, X, y)
    truth = by_autograd(loss, params)
    assert all(np.allclose(grads[name], truth[name], rtol=0, atol=1e-10) for name in params)


def test_only_the_first_symbol_tells_the_answer():
    X, y = toy_tasks.first_symbol_batch(np.random.default_rng(0), lag=9, N=200)
    assert X.shape == (10, 200) and np.array_equal(X[0], y) and set(y) == {0, 1}
    assert X[1:].min() == 2 and X[1:].max() == 5


def test_the_memory_task_is_learned_with_the_full_gradient():
    def full(rng, dH, X, H_0, H, W_xh, W_hh):
        return cells.rnn_backward(dH, X, H_0, H, W_xh, W_hh)

    losses, rows = toy_tasks.train_memory(full, updates=100)
    assert losses.shape == (100,) and losses[-10:].mean() < 0.1
    assert np.abs(rows).max() > 0


@pytest.fixture(scope="module")
def tagged():
    return corpora.tag_words("the keys near the cabinet are old. the cat sleeps. ")


def test_a_verb_test_counts_nouns_between_and_notes_whether_the_last_disagrees(tagged):
    words = [word for word, _ in tagged]
    assert [(words[test.position], test.number, test.between, test.disagrees) for test in verbs.verb_tests(tagged)] == [
        ("are", "plural", 1, True), ("sleeps", "singular", 0, False),
    ]  # fmt: skip


def test_agreement_of_a_model_that_always_says_plural(tagged):
    words = [word for word, _ in tagged]
    vocabulary = Vocabulary(words)
    singular, plural = (verbs.verb_ids(tagged, vocabulary, number) for number in ("singular", "plural"))
    probs = np.zeros((len(words), len(vocabulary)))
    probs[:, vocabulary.id("are")] = 1
    tests = verbs.verb_tests(tagged)
    shares = verbs.agreement(tests + [verbs.VerbTest(5, "plural", 2, False), verbs.VerbTest(5, "plural", 4, False)], probs, 0, singular, plural)
    assert shares == {0: 0.0, 1: 1.0, 2: 1.0, 3: 1.0, verbs.DISAGREES: 1.0}


def test_a_window_network_learns_which_word_follows():
    ids = np.array([1, 2, 3] * 200)
    params = verbs.train_window(ids, V=4, k=2, H=8)
    logits, hidden, inputs = verbs.window_logits(params, verbs.windows_over(ids, 2))
    assert logits.shape == (598, 4) and hidden.shape == (598, 8) and inputs.shape == (598, 8)
    assert (logits.argmax(axis=1) == ids[2:]).all()
