"""The encoder–decoder in torch: its batches, its decoding by the side of one step at a time, and that it learns."""

import itertools

import numpy as np
import pytest
import torch

from unrolled import seq2seq
from unrolled.seq2seq import EncoderDecoder

V_SOURCE, V_TARGET = 5, 6


@pytest.fixture(params=[True, False], ids=["attention", "last state"])
def model(request):
    made = EncoderDecoder(V_SOURCE, V_TARGET, E=4, H=6, seed=0, attention=request.param, layers=2)
    with torch.no_grad():
        made.output.weight *= 6  # far from uniform, so that searches differ
    return made.eval()


def log_p(model, source, ids):
    """Log-probability of ids and the end, all steps at once."""
    X, Y = seq2seq._batch([(source, ids)])
    with torch.no_grad():
        log_probs = model(torch.as_tensor(X), torch.as_tensor(Y)).log_softmax(-1)[:, 0]
    return float(log_probs[torch.arange(len(Y)), torch.as_tensor(Y[:, 0])].sum())


def test_the_same_seed_gives_the_same_weights_and_leaves_torchs_own_state_alone():
    before = torch.random.get_rng_state()
    one, other = (EncoderDecoder(V_SOURCE, V_TARGET, 4, 6, seed=3) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_pass_holds_every_pair_once_and_no_source_is_padded():
    rng = np.random.default_rng(0)
    pairs = [(rng.integers(0, V_SOURCE, rng.integers(1, 6)).tolist(), rng.integers(2, V_TARGET, rng.integers(1, 9)).tolist()) for _ in range(57)]
    seen = []
    for X, Y in seq2seq.batches(pairs, 4, rng):
        assert X.shape[1] == Y.shape[1] <= 4
        for source, target in zip(X.T.tolist(), Y.T.tolist(), strict=True):
            end = target.index(EncoderDecoder.END)
            assert set(target[end + 1 :]) <= {seq2seq.IGNORED}
            seen.append((source, target[:end]))
    assert sorted(seen) == sorted(pairs)


def test_targets_of_nearly_one_length_share_a_batch():
    pairs = [([0] * T, [2] * U) for T in (3, 4) for U in range(1, 9) for _ in range(20)]
    ids = np.concatenate([Y.ravel() for _, Y in seq2seq.batches(pairs, 16, np.random.default_rng(0))])
    assert np.mean(ids == seq2seq.IGNORED) < 0.06


def test_two_passes_put_other_pairs_together():
    pairs = [([0, 0, 0, 0], [2, 2, number % 4 + 2]) for number in range(64)]
    one, other = ([Y[2].tolist() for _, Y in seq2seq.batches(pairs, 8, np.random.default_rng(seed))] for seed in (0, 1))
    assert one != other


def test_what_stands_behind_the_end_of_a_target_changes_no_loss(model):
    short, long = ([1, 2], [2]), ([3, 0], [3, 4, 5, 2])
    X, Y = seq2seq._batch([short, long])
    together = seq2seq.loss_of(model, X, Y).item()
    alone = [-log_p(model, *pair) for pair in (short, long)]
    assert together == pytest.approx(sum(alone) / (2 + 5), rel=1e-5)


def test_the_future_of_a_target_changes_no_prediction(model):
    X = torch.tensor([[1], [2], [3]])
    one, other = torch.tensor([[2], [3], [4]]), torch.tensor([[2], [5], [2]])
    with torch.no_grad():
        assert torch.allclose(model(X, one)[:2], model(X, other)[:2], atol=1e-6)


def test_a_wide_beam_equals_exhaustive_search(model, monkeypatch):
    monkeypatch.setattr(seq2seq, "_longest", lambda T: 4)
    sources = [[1, 2, 3], [4, 0, 1]]
    for source, (ids, total) in zip(sources, seq2seq.beam(model, sources, width=1_500), strict=True):
        every = [list(ids) for U in range(4) for ids in itertools.product([0, *range(2, V_TARGET)], repeat=U)]
        best = max(every, key=lambda ids: log_p(model, source, ids))
        assert ids == best
        assert total == pytest.approx(log_p(model, source, best), abs=1e-4)


def test_greedy_takes_the_likeliest_token_at_every_step(model):
    source = [1, 2, 3, 4]
    (ids,) = seq2seq.greedy(model, [source])
    for u in range(len(ids)):
        X, Y = seq2seq._batch([(source, ids[: u + 1])])
        with torch.no_grad():
            assert model(torch.as_tensor(X), torch.as_tensor(Y))[u, 0].argmax() == ids[u]


def test_outputs_are_the_same_alone_and_in_company(model):
    sources = [[1], [2, 3], [0, 1], [4, 4, 4], [3, 2]]
    together = seq2seq.beam(model, sources, 3)
    assert [ids for ids, _ in together] == [seq2seq.beam(model, [source], 3)[0][0] for source in sources]


def test_a_target_has_the_same_log_probability_in_company_as_alone_and_as_the_beam_says(model):
    sources = [[1], [2, 3], [0, 1], [4, 4, 4]]
    found = seq2seq.beam(model, sources, 3)
    pairs = [(source, ids) for source, (ids, _) in zip(sources, found, strict=True)]
    np.testing.assert_allclose(seq2seq.log_probs(model, pairs), [total for _, total in found], atol=1e-4)
    np.testing.assert_allclose(seq2seq.log_probs(model, pairs), [log_p(model, *pair) for pair in pairs], atol=1e-4)


def test_a_wider_beam_finds_nothing_less_likely_here(model):
    sources = [[a, b, c] for a in range(V_SOURCE) for b in range(V_SOURCE) for c in range(2)]
    narrow, wide = (sum(total for _, total in seq2seq.beam(model, sources, width)) for width in (1, 8))
    assert wide > narrow


def test_a_beam_without_width_is_refused(model):
    with pytest.raises(ValueError, match="width of a beam is 1 or more; received 0"):
        seq2seq.beam(model, [[1]], 0)


def test_it_learns_to_write_a_source_backwards():
    rng = np.random.default_rng(0)
    pairs = []
    for _ in range(400):
        source = rng.integers(0, 4, rng.integers(2, 5))
        pairs.append((source.tolist(), (source[::-1] + 2).tolist()))
    model = EncoderDecoder(4, 6, E=8, H=24, seed=0)
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    for number in range(14):
        model.train()
        for X, Y in seq2seq.batches(pairs, 32, np.random.default_rng(number)):
            optimizer.zero_grad()
            seq2seq.loss_of(model, X, Y).backward()
            optimizer.step()
    sources, targets = zip(*pairs, strict=True)
    right = np.mean([output == target for output, target in zip(seq2seq.greedy(model, sources), targets, strict=True)])
    assert right > 0.95


def test_the_weights_of_each_written_token_sum_to_1():
    model = EncoderDecoder(V_SOURCE, V_TARGET, 4, 6, seed=0)
    weights = seq2seq.alignment(model, [1, 2, 3], [4, 5])
    assert weights.shape == (3, 3)  # two tokens and the end, three letters
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)
