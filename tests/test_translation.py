"""The encoder–decoder for numerals: its data, its masks, and what training and decoding promise."""

import numpy as np
import pytest
import torch

from unrolled import translation
from unrolled.translation import LastState, Numerals, alignment, padded, train, translate, untrained


@pytest.fixture(scope="module")
def task():
    return Numerals()


class Mean(torch.nn.Module):
    def __init__(self, H):
        super().__init__()

    def forward(self, query, keys, lengths):
        return translation.weighted_mean(torch.zeros(keys.shape[:2]), keys, lengths)


def test_no_held_out_number_is_among_those_to_train_on(task):
    assert not {english for english, _ in task.test} & {english for english, _ in task.pairs}
    assert min(task.n_words) == 4


def test_ids_and_text_lead_back_to_each_other(task):
    (source,), (target,) = task.encode([("two hundred and five", "二百零五")])
    assert task.english.decode(source) == ["two", "hundred", "and", "five"]
    assert target[-1] == task.END and task.spelled(target) == "二百零五"


@pytest.mark.parametrize("rule", [LastState, Mean])
def test_a_source_is_translated_alike_alone_and_beside_longer_ones(task, rule):
    model = untrained(task, rule)
    batch = sorted(task.X_TEST[:20], key=len)
    assert translate(model, batch)[0] == translate(model, batch[:1])[0]
    X, lengths = padded(batch)
    with torch.no_grad():
        keys, S = model.encode(X, lengths)
        weights = model.step(torch.zeros(20, dtype=torch.long), S, keys, lengths)[2]  # (T, N)
    assert (weights[torch.arange(len(X))[:, None] >= lengths] == 0).all()
    np.testing.assert_allclose(weights.sum(dim=0), 1, atol=1e-6)


def test_the_loss_does_not_look_at_padding():
    logits, (Y, lengths) = torch.randn(5, 2, 7), padded([[1, 2, 3, 4, 5], [6, 1]])
    loss = translation.masked_cross_entropy(logits, Y, lengths)
    logits[2:, 1], Y[2:, 1] = torch.inf, 3
    assert translation.masked_cross_entropy(logits, Y, lengths) == loss


def test_training_lowers_the_loss_and_the_same_seed_gives_the_same_model(task):
    losses = [train(untrained(task, LastState, seed=3), task.SOURCES, task.TARGETS, updates=25, N=16) for _ in range(2)]
    assert losses[0] == losses[1] and np.mean(losses[0][-5:]) < 0.8 * losses[0][0]


def test_too_few_pairs_are_refused(task):
    with pytest.raises(ValueError, match="10 updates of 64 pairs need 640 pairs, received 100"):
        train(untrained(task, LastState), task.SOURCES[:100], task.TARGETS[:100], updates=10)


def test_an_alignment_has_a_row_for_each_token_written(task):
    rows = alignment(untrained(task, Mean), task.X_TEST[0], task.Y_TEST[0])
    assert rows.shape == (len(task.Y_TEST[0]), len(task.X_TEST[0]))
    np.testing.assert_allclose(rows, 1 / rows.shape[1], atol=1e-6)


def test_shares_are_taken_by_the_words_of_the_source(task):
    right = task.n_words <= 5
    assert task.by_length(right, [(4, 5), (6, 13)]) == [1.0, 0.0]
