"""Training in NumPy: gradients and updates as torch's, the state between batches, scoring and sampling."""

import math
import pickle
import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unrolled import torch_models, training
from unrolled.corpora import toy_english
from unrolled.metrics import log_softmax, softmax
from unrolled.text import Vocabulary, random_batches, sequential_batches
from unrolled.training import (
    GRU,
    LSTM,
    RNN,
    SGD,
    Adam,
    TrainingDiverged,
    clip_by_norm,
    gradient_norm,
    held_out_loss,
    init_model,
    loss_and_gradients,
    sample,
    token_log_probs,
    train,
)

every_cell = pytest.mark.parametrize("cell", [RNN, LSTM, GRU], ids=lambda cell: cell.name)


def model_of(cell=RNN, V=7, H=6, seed=0, dtype=np.float64):
    """A model whose biases are not zero, either: a bias left out would show."""
    rng = np.random.default_rng(seed)
    model = init_model(cell, V, H, rng, dtype)
    for value in model.params.values():
        value += rng.uniform(-0.5, 0.5, value.shape).astype(dtype)
    return model


def ids_of(*shape, V=7, seed=0):
    return np.random.default_rng(seed).integers(0, V, size=shape)


def random_state(model, N, seed=1):
    rng = np.random.default_rng(seed)
    return tuple(rng.uniform(-1, 1, part.shape) for part in model.zero_state(N))


def torch_state(state):
    parts = tuple(torch.tensor(part)[None] for part in state)
    return parts if len(parts) > 1 else parts[0]


def torch_gradients(twin, cell):
    """The twin's gradients under our names, in our layout."""
    names = [name for name in cell.shapes(1, 1) if name.startswith("W")]
    biases = [name for name in cell.shapes(1, 1) if name.startswith("b")]
    grads = dict(zip(names, (twin.cell.weight_ih_l0.grad.T, twin.cell.weight_hh_l0.grad.T), strict=True))
    grads |= dict(zip(biases, (twin.cell.bias_ih_l0.grad, twin.cell.bias_hh_l0.grad), strict=False))
    return grads | {"W_hq": twin.output.weight.grad.T, "b_q": twin.output.bias.grad}


def torch_loss(twin, X, Y, state=None):
    logits, last = twin(torch.tensor(X), state)
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), torch.tensor(Y).flatten()), last


# --- Models ------------------------------------------------------------------------------------


@every_cell
def test_a_new_model_has_weights_within_one_over_root_H_and_zero_biases(cell):
    model = init_model(cell, 11, 25, np.random.default_rng(0), forget_bias=0.0)
    for name, value in model.params.items():
        assert value.dtype == np.float64
        if name.startswith("b"):
            assert not value.any()
        else:
            assert 0.9 / 5 < np.abs(value).max() <= 1 / 5
            assert abs(value.mean()) < 0.1 / 5


def test_only_the_forget_gates_of_an_lstm_start_at_the_forget_bias():
    b = init_model(LSTM, 5, 3, np.random.default_rng(0)).params["b"]
    np.testing.assert_array_equal(b, [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0])


def test_an_lstm_that_came_from_another_process_starts_at_the_forget_bias_too():
    model = init_model(pickle.loads(pickle.dumps(LSTM)), 5, 4, 0, forget_bias=2.0)
    assert (model.params["b"][4:8] == 2).all()


@every_cell
def test_a_model_survives_pickling(cell):
    model, X = init_model(cell, 5, 4, 0), np.array([[0], [3]])
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.logits(X, again.zero_state(1))[0], model.logits(X, model.zero_state(1))[0])


@every_cell
def test_the_same_seed_makes_the_same_model(cell):
    one, same, other = (init_model(cell, 5, 3, np.random.default_rng(seed)).params for seed in (1, 1, 2))
    assert all(np.array_equal(one[name], same[name]) for name in one)
    assert not np.array_equal(one["W_hq"], other["W_hq"])


@pytest.mark.parametrize(("V", "H"), [(0, 5), (5, 0)])
def test_a_model_without_tokens_or_units_is_refused(V, H):
    with pytest.raises(ValueError, match=f"received V={V}, H={H}"):
        init_model(RNN, V, H, np.random.default_rng(0))


@every_cell
def test_the_order_in_which_params_are_listed_does_not_matter(cell):
    model = model_of(cell, V=6, H=6)  # square matrices: a swap of two would fit
    turned = training.LanguageModel(cell, dict(reversed(model.params.items())))
    X, Y, state = ids_of(4, 2, V=6), ids_of(4, 2, V=6, seed=1), model.zero_state(2)
    loss, grads, _ = loss_and_gradients(model, X, Y, state)
    same_loss, same_grads, _ = loss_and_gradients(turned, X, Y, state)
    assert same_loss == loss
    for name, g in grads.items():
        np.testing.assert_array_equal(same_grads[name], g)


# --- Loss and gradients ------------------------------------------------------------------------


@every_cell
@given(T=st.integers(1, 6), N=st.integers(1, 4), V=st.integers(2, 6), H=st.integers(1, 6), seed=st.integers(0, 99))
def test_loss_state_and_all_gradients_equal_torch(cell, T, N, V, H, seed):
    model = model_of(cell, V, H, seed)
    X, Y, state = ids_of(T, N, V=V, seed=seed), ids_of(T, N, V=V, seed=seed + 1), random_state(model, N, seed)
    loss, grads, last = loss_and_gradients(model, X, Y, state)
    twin = torch_models.from_numpy(model)
    their_loss, their_last = torch_loss(twin, X, Y, torch_state(state))
    their_loss.backward()
    assert loss == pytest.approx(their_loss.item(), rel=1e-12)
    for ours, theirs in zip(last, their_last if cell is LSTM else [their_last], strict=True):
        np.testing.assert_allclose(ours, theirs[0].detach(), rtol=0, atol=1e-12)
    expected = torch_gradients(twin, cell)
    assert list(grads) == list(model.params)
    for name, g in grads.items():
        assert g.shape == model.params[name].shape
        assert np.linalg.norm(g - expected[name].numpy()) <= 1e-10 * np.linalg.norm(expected[name]) + 1e-15


@every_cell
def test_gradients_of_the_whole_model_equal_central_differences(cell):
    model = model_of(cell, V=4, H=3)
    X, Y, state = ids_of(4, 2, V=4), ids_of(4, 2, V=4, seed=1), random_state(model, 2)
    _, grads, _ = loss_and_gradients(model, X, Y, state)
    for name, value in model.params.items():
        numeric = np.empty_like(value)
        for index in np.ndindex(value.shape):
            kept = value[index]
            losses = []
            for step in (1e-5, -1e-5):
                value[index] = kept + step
                losses.append(loss_and_gradients(model, X, Y, state)[0])
            value[index] = kept
            numeric[index] = (losses[0] - losses[1]) / 2e-5
        assert np.linalg.norm(grads[name] - numeric) <= 1e-8 * np.linalg.norm(numeric)


@every_cell
def test_loss_and_gradients_change_nothing_and_stay_float32(cell):
    model = model_of(cell, dtype=np.float32)
    X, Y, state = ids_of(5, 3), ids_of(5, 3, seed=1), model.zero_state(3)
    for array in (X, Y, *state, *model.params.values()):
        array.flags.writeable = False
    loss, grads, last = loss_and_gradients(model, X, Y, state)
    assert isinstance(loss, float)
    assert {array.dtype for array in (*grads.values(), *last)} == {np.dtype(np.float32)}


# --- Clipping ----------------------------------------------------------------------------------

gradients = st.builds(
    lambda shapes, seed, scale: {
        f"g{k}": scale * np.random.default_rng([seed, k]).normal(size=shape) for k, shape in enumerate(shapes)
    },
    st.lists(st.sampled_from([(3,), (2, 4), (1, 1), (5, 2)]), min_size=1, max_size=4),
    st.integers(0, 999),
    st.sampled_from([1e-3, 1.0, 1e3]),
)


@given(gradients)
def test_the_norm_is_one_norm_over_all_arrays_together(grads):
    assert gradient_norm(grads) == pytest.approx(np.linalg.norm(np.concatenate([g.ravel() for g in grads.values()])), rel=1e-13)


@given(gradients, st.floats(0.01, 0.99))
def test_clipping_keeps_the_direction_and_brings_the_norm_to_theta(grads, fraction):
    theta = fraction * gradient_norm(grads)
    clipped, norm = clip_by_norm(grads, theta)
    assert norm == gradient_norm(grads)
    assert gradient_norm(clipped) == pytest.approx(theta, rel=1e-13)
    for name, g in grads.items():
        np.testing.assert_allclose(clipped[name], g * (theta / norm), rtol=1e-13)


@given(gradients, st.floats(1.0, 100.0))
def test_a_norm_of_at_most_theta_is_left_as_it_is(grads, factor):
    clipped, norm = clip_by_norm(grads, factor * gradient_norm(grads))
    assert norm == gradient_norm(grads)
    for name, g in grads.items():
        np.testing.assert_array_equal(clipped[name], g)


@pytest.mark.parametrize("theta", [0.1, 1.0, math.inf])
def test_clipping_returns_new_arrays_and_leaves_the_old_ones(theta):
    grads = {"a": np.array([0.3, 0.4])}
    clipped, _ = clip_by_norm(grads, theta)
    clipped["a"][:] = 7
    np.testing.assert_array_equal(grads["a"], [0.3, 0.4])


def test_zero_gradients_survive_clipping():
    clipped, norm = clip_by_norm({"a": np.zeros(3)}, 1.0)
    assert norm == 0
    np.testing.assert_array_equal(clipped["a"], 0)


def test_clipping_equals_torch_up_to_its_epsilon():
    grads = some_gradients(model_of().params, 0)
    leaves = [torch.zeros(g.shape, dtype=torch.float64, requires_grad=True) for g in grads.values()]
    for leaf, g in zip(leaves, grads.values(), strict=True):
        leaf.grad = torch.tensor(g)
    norm = torch.nn.utils.clip_grad_norm_(leaves, 0.5)
    clipped, our_norm = clip_by_norm(grads, 0.5)
    assert our_norm == pytest.approx(norm.item(), rel=1e-13)
    for leaf, g in zip(leaves, clipped.values(), strict=True):
        np.testing.assert_allclose(g, leaf.grad, rtol=2e-6)


def test_a_float64_theta_leaves_float32_gradients_float32():
    clipped, _ = clip_by_norm({"a": np.ones(3, np.float32)}, np.float64(0.5))
    assert clipped["a"].dtype == np.float32


@pytest.mark.parametrize("theta", [0, -1.0, math.nan])
def test_a_theta_that_is_not_positive_is_refused(theta):
    with pytest.raises(ValueError, match=f"theta must be more than 0 .* received {theta}"):
        clip_by_norm({"a": np.ones(3)}, theta)


# --- Optimisers --------------------------------------------------------------------------------


def some_gradients(params, update):
    return {
        name: np.random.default_rng([update, k]).normal(size=value.shape) * 10.0 ** (k - 3)
        for k, (name, value) in enumerate(params.items())
    }


def assert_same_path(ours, make_theirs, updates, make_schedule=None):
    """Our optimiser and torch's walk the same path, update by update, under the same gradients."""
    params = model_of(LSTM).params
    leaves = {name: torch.tensor(value, requires_grad=True) for name, value in params.items()}
    theirs = make_theirs(list(leaves.values()))
    schedule = make_schedule(theirs) if make_schedule else None
    for update in range(updates):
        grads = some_gradients(params, update)
        ours.update(params, grads)
        for name, leaf in leaves.items():
            leaf.grad = torch.tensor(grads[name])
        theirs.step()
        if schedule:
            schedule.step()
        for name, leaf in leaves.items():
            np.testing.assert_allclose(params[name], leaf.detach(), rtol=1e-12, atol=1e-13)


def test_sgd_equals_torch_update_by_update():
    assert_same_path(SGD(0.3), lambda leaves: torch.optim.SGD(leaves, lr=0.3), 10)


def test_adam_equals_torch_update_by_update():
    assert_same_path(Adam(0.01), lambda leaves: torch.optim.Adam(leaves, lr=0.01), 30)


def test_adam_with_other_constants_equals_torch():
    ours = Adam(0.01, beta_1=0.5, beta_2=0.9, epsilon=1e-3)
    assert_same_path(ours, lambda leaves: torch.optim.Adam(leaves, lr=0.01, betas=(0.5, 0.9), eps=1e-3), 20)


def test_adam_on_a_half_cosine_equals_torch():
    assert_same_path(
        Adam(0.01, steps=20),
        lambda leaves: torch.optim.Adam(leaves, lr=0.01),
        20,
        lambda optimizer: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 20),
    )


def test_beyond_its_steps_the_cosine_stays_at_zero():
    params, optimizer = {"a": np.ones(3)}, Adam(0.01, steps=5)
    for _ in range(5):
        optimizer.update(params, {"a": np.ones(3)})
    before = params["a"].copy()
    for _ in range(5):
        optimizer.update(params, {"a": np.ones(3)})
    np.testing.assert_array_equal(params["a"], before)


@pytest.mark.parametrize("make", [lambda: SGD(np.float64(0.1)), lambda: Adam(np.float64(0.1))])
def test_updates_happen_in_place_and_keep_float32(make):
    a, g = np.ones(3, np.float32), np.ones(3, np.float32)
    params = {"a": a}
    make().update(params, {"a": g})
    assert params["a"] is a
    assert a.dtype == np.float32
    assert (a < 1).all()
    np.testing.assert_array_equal(g, 1)


def test_a_schedule_of_no_update_is_refused():
    with pytest.raises(ValueError, match="1 or more; received 0"):
        Adam(0.1, steps=0)


# --- The loop ----------------------------------------------------------------------------------


@every_cell
def test_training_equals_torch_update_by_update(cell):
    model = model_of(cell)
    twin = torch_models.from_numpy(model)
    twin.cell.bias_hh_l0.requires_grad_(cell is GRU)  # ours has one bias where torch adds two
    optimizer = torch.optim.SGD(twin.parameters(), lr=0.5)
    batches = sequential_batches(ids_of(200), 3, 5)
    losses, norms = [], []
    for _ in range(2):
        state = None
        for X, Y in batches:
            optimizer.zero_grad()
            loss, state = torch_loss(twin, X, Y, state)
            loss.backward()
            state = tuple(part.detach() for part in state) if cell is LSTM else state.detach()
            norm = math.sqrt(sum(float((p.grad**2).sum()) for p in twin.parameters() if p.requires_grad))
            for p in twin.parameters():
                if p.grad is not None and norm > 0.2:
                    p.grad *= 0.2 / norm
            optimizer.step()
            losses.append(loss.item())
            norms.append(norm)
    history = train(model, [batches] * 2, SGD(0.5), theta=0.2)
    np.testing.assert_allclose(history.losses, losses, rtol=1e-11)
    np.testing.assert_allclose(history.norms, norms, rtol=1e-9)


@every_cell
def test_the_state_is_carried_within_a_pass_and_zero_at_its_start(cell):
    model, batches = model_of(cell), sequential_batches(ids_of(100), 2, 4)
    losses = train(model, [batches] * 2, SGD(0.0)).losses  # no step is taken: what differs is the state
    state = model.zero_state(2)
    for k, (X, Y) in enumerate(batches):
        expected, _, state = loss_and_gradients(model, X, Y, state)
        assert losses[k] == losses[len(batches) + k] == expected


@every_cell
def test_without_carrying_every_batch_starts_from_zero(cell):
    model, batches = model_of(cell), sequential_batches(ids_of(100), 2, 4)
    losses = train(model, [batches], SGD(0.0), carry_state=False).losses
    expected = [loss_and_gradients(model, X, Y, model.zero_state(2))[0] for X, Y in batches]
    np.testing.assert_array_equal(losses, expected)
    assert not np.array_equal(losses, train(model, [batches], SGD(0.0)).losses)


def test_carried_losses_are_those_of_one_long_text():
    model, ids = model_of(LSTM), ids_of(61)
    losses = train(model, [sequential_batches(ids, 1, 6)], SGD(0.0)).losses
    assert losses.mean() == pytest.approx(held_out_loss(model, ids), rel=1e-12)


def test_history_tells_the_norm_before_clipping():
    history = train(model_of(), [sequential_batches(ids_of(100), 2, 4)], SGD(0.0), theta=1e-3)
    assert (history.norms > 1e-3).all()
    assert history.norms.shape == history.losses.shape == (12,)


def test_random_batches_of_a_fresh_iterator_for_each_pass_train():
    ids, rng = ids_of(100), np.random.default_rng(0)
    history = train(model_of(), (random_batches(ids, 2, 4, rng) for _ in range(3)), SGD(0.1), carry_state=False)
    assert len(history.losses) >= 3 * 11


@pytest.mark.filterwarnings("error")
def test_divergence_names_update_loss_and_norm_without_warnings():
    batches = sequential_batches(ids_of(400), 2, 4)
    with pytest.raises(TrainingDiverged) as caught:
        train(model_of(), [batches], SGD(1e308), theta=math.inf)
    told = re.fullmatch(
        r"Training diverged at update (\d+): loss (\S+), gradient norm (\S+)\. "
        r"Clip the gradient \(theta\), or lower the learning rate\.",
        str(caught.value),
    )
    assert int(told[1]) > 1
    assert not (math.isfinite(float(told[2])) and math.isfinite(float(told[3])))


def test_divergence_at_the_first_update_leaves_the_weights_alone():
    model = model_of()
    model.params["W_hq"][0, 0] = np.inf
    before = {name: value.copy() for name, value in model.params.items()}
    with pytest.raises(TrainingDiverged, match="update 1: loss nan"):
        train(model, [sequential_batches(ids_of(100), 2, 4)], SGD(0.1))
    for name, value in model.params.items():
        np.testing.assert_array_equal(value, before[name])


def test_an_iterator_that_was_used_up_is_named():
    batches = random_batches(ids_of(100), 2, 4, np.random.default_rng(0))
    with pytest.raises(ValueError, match="make a new one for each pass"):
        train(model_of(), [batches] * 2, SGD(0.1), carry_state=False)


@pytest.mark.parametrize("T", [2, 4])
def test_batches_in_place_of_passes_are_named(T):
    with pytest.raises(ValueError, match=r"as \[batches\] \* 3 does for three; received one batch"):
        train(model_of(), sequential_batches(ids_of(100), 2, T), SGD(0.1))


@pytest.mark.parametrize("token", [-1, 7])
def test_a_token_that_the_model_does_not_know_is_refused(token):
    ids = ids_of(100)
    ids[5] = token
    with pytest.raises(ValueError, match=r"Ids must lie in 0\.\.6"):
        train(model_of(), [sequential_batches(ids, 2, 4)], SGD(0.1))


def test_an_rnn_learns_to_beat_the_bigrams_of_toy_english():
    text, held_out = toy_english(60_000, seed=0).text, toy_english(5_000, seed=1).text
    vocabulary = Vocabulary(text)
    ids, unseen = vocabulary.encode(text), vocabulary.encode(held_out)
    V = len(vocabulary)
    counts = np.full((V, V), 0.1)
    np.add.at(counts, (ids[:-1], ids[1:]), 1)
    bigram = -np.log((counts / counts.sum(axis=1, keepdims=True))[unseen[:-1], unseen[1:]]).mean()

    batches = sequential_batches(ids, 32, 32)
    model = init_model(RNN, V, 64, np.random.default_rng(0), np.float32)
    history = train(model, [batches] * 4, Adam(8e-3, steps=4 * len(batches)))
    assert history.losses[0] == pytest.approx(math.log(V), abs=0.3)  # it starts from a nearly uniform guess
    assert held_out_loss(model, unseen) < 0.6 * bigram


# --- Progress ----------------------------------------------------------------------------------


def test_no_progress_is_shown_when_it_is_switched_off(monkeypatch, capsys):
    monkeypatch.setenv("UNROLLED_PROGRESS", "off")
    assert list(training.progress("abc", "pass")) == ["a", "b", "c"]
    assert capsys.readouterr() == ("", "")


def test_progress_shows_its_unit_and_wipes_its_line(monkeypatch, capsys):
    monkeypatch.delenv("UNROLLED_PROGRESS")
    assert list(training.progress("abc", "pass")) == ["a", "b", "c"]
    out, err = capsys.readouterr()
    assert out == ""
    assert "pass" in err
    assert err.endswith("\r")
    assert err.split("\r")[-2].strip() == ""


def test_two_bars_at_a_time_share_one_line(monkeypatch, capsys):
    monkeypatch.delenv("UNROLLED_PROGRESS")
    assert len(list(zip(training.progress("abc", "pass"), training.progress("def", "pass"), strict=True))) == 3
    err = capsys.readouterr().err
    assert "pass" in err and "\n" not in err and "\x1b" not in err


def test_progress_takes_an_iterator_of_unknown_length(monkeypatch):
    monkeypatch.setenv("UNROLLED_PROGRESS", "off")
    assert list(training.progress(iter(range(3)), "pass")) == [0, 1, 2]


# --- Scoring -----------------------------------------------------------------------------------


@every_cell
@pytest.mark.parametrize("n", [2, 3, 1000, 1001, 1002, 2001, 2345])
def test_scoring_piece_by_piece_equals_a_single_pass(cell, n):
    model, ids = model_of(cell), ids_of(n)
    logits, _ = model.logits(ids[:-1, None], model.zero_state(1))
    expected = log_softmax(logits[:, 0])[np.arange(n - 1), ids[1:]]
    ours = token_log_probs(model, ids)
    assert ours.shape == (n - 1,)
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-12)


def test_scores_are_float64_even_of_a_float32_model():
    assert token_log_probs(model_of(dtype=np.float32), ids_of(10)).dtype == np.float64


@every_cell
def test_probabilities_of_all_continuations_sum_to_1(cell):
    model, prefix = model_of(cell), ids_of(6)
    scores = [token_log_probs(model, np.append(prefix, i)) for i in range(7)]
    assert math.fsum(math.exp(score[-1]) for score in scores) == pytest.approx(1, rel=1e-12)
    for score in scores:
        np.testing.assert_array_equal(score[:-1], scores[0][:-1])  # what comes later changes nothing before


@every_cell
def test_probabilities_of_all_texts_sum_to_1(cell):
    model = model_of(cell, V=3)
    total = sum(
        math.exp(token_log_probs(model, np.array([0, a, b, c])).sum()) for a in range(3) for b in range(3) for c in range(3)
    )
    assert total == pytest.approx(1, rel=1e-12)


def test_held_out_loss_is_minus_the_mean_score():
    model, ids = model_of(), ids_of(50)
    assert held_out_loss(model, ids) == -token_log_probs(model, ids).mean()


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([], r"at least two tokens, one to start from and one to predict; received shape \(0,\)"),
        ([3], r"received shape \(1,\)"),
        ([[1, 2], [3, 4]], r"received shape \(2, 2\)"),
        ([1, 2, 7], r"knows ids 0\.\.6; received 1\.\.7"),
        ([1, 2, -1], r"received -1\.\.2"),
        ([1.0, 2.0], "integer ids; received float64"),
    ],
)
@pytest.mark.parametrize(
    "score",
    [
        lambda ids: token_log_probs(model_of(), ids),
        lambda ids: torch_models.held_out_loss(torch_models.from_numpy(model_of()), ids),
    ],
)
def test_a_text_that_cannot_be_scored_is_refused(score, ids, message):
    with pytest.raises(ValueError, match=message):
        score(ids)


# --- Sampling ----------------------------------------------------------------------------------


def greedy(model, prefix, length):
    """The most likely next id, found anew from the whole text each time."""
    ids = list(prefix)
    for _ in range(length):
        logits, _ = model.logits(np.array(ids)[:, None], model.zero_state(1))
        ids.append(int(logits[-1, 0].argmax()))
    return ids[len(prefix) :]


@every_cell
def test_temperature_0_takes_the_most_likely_id_after_the_whole_prefix(cell):
    model, prefix = model_of(cell, seed=3), [3, 1, 4]
    drawn = sample(model, prefix, 12, np.random.default_rng(0), temperature=0)
    assert drawn.dtype == np.int64
    assert drawn.tolist() == greedy(model, prefix, 12)
    assert drawn.tolist() == sample(model, prefix, 12, np.random.default_rng(1), temperature=0).tolist()


@every_cell
def test_top_1_and_a_tiny_temperature_equal_greedy(cell):
    model = model_of(cell, seed=3)
    expected = greedy(model, [2], 12)
    assert sample(model, [2], 12, np.random.default_rng(0), top_k=1).tolist() == expected
    assert sample(model, [2], 12, np.random.default_rng(0), temperature=1e-9).tolist() == expected


def flat_model(scores):
    """A model that gives the same logits after every text."""
    model = init_model(RNN, len(scores), 2, np.random.default_rng(0))
    model.params["W_hq"][:] = 0
    model.params["b_q"][:] = scores
    return model


def test_among_equals_top_k_keeps_the_lower_ids():
    drawn = sample(flat_model([0.0] * 5), [0], 200, np.random.default_rng(0), top_k=2)
    assert set(drawn.tolist()) == {0, 1}
    assert sample(flat_model([0.0] * 5), [0], 20, np.random.default_rng(0), top_k=1).tolist() == [0] * 20


def chi_squared(drawn, p):
    expected = len(drawn) * p
    return ((np.bincount(drawn, minlength=len(p)) - expected) ** 2 / expected).sum()


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_ids_are_drawn_from_the_softmax_of_the_logits_over_the_temperature(temperature):
    scores = np.log([0.4, 0.3, 0.15, 0.1, 0.05])
    drawn = sample(flat_model(scores), [0], 5000, np.random.default_rng(0), temperature)
    limit = 25.0  # chi-squared with 4 degrees of freedom exceeds 25 with probability 5e-5
    assert chi_squared(drawn, softmax(scores / temperature)) < limit
    assert chi_squared(drawn, softmax(scores / (1.3 * temperature))) > limit  # the test would see a temperature 30 % off


def test_top_k_draws_from_what_it_keeps_in_proportion():
    p = np.array([0.4, 0.3, 0.15, 0.1, 0.05])
    drawn = sample(flat_model(np.log(p)), [0], 3000, np.random.default_rng(0), top_k=3)
    assert set(drawn.tolist()) == {0, 1, 2}
    assert chi_squared(drawn, p[:3] / p[:3].sum()) < 20.0  # 2 degrees of freedom: exceeded with probability 5e-5


def test_a_drawn_id_is_read_before_the_next_is_drawn():
    model = init_model(RNN, 3, 3, np.random.default_rng(0))
    model.params["W_xh"][:] = 100 * np.eye(3)
    model.params["W_hh"][:] = 0
    model.params["W_hq"][:] = 100 * np.roll(np.eye(3), 1, axis=1)  # after i comes i + 1
    assert sample(model, [0], 7, np.random.default_rng(0)).tolist() == [1, 2, 0, 1, 2, 0, 1]


@every_cell
def test_sampling_repeats_with_its_seed(cell):
    model = model_of(cell)
    one, same, other = (sample(model, [1], 30, np.random.default_rng(seed)).tolist() for seed in (0, 0, 1))
    assert one == same != other


def test_a_top_k_beyond_the_vocabulary_keeps_all():
    model = model_of()
    drawn = [sample(model, [1], 30, np.random.default_rng(0), top_k=k).tolist() for k in (None, 7, 99)]
    assert drawn[0] == drawn[1] == drawn[2]


def test_no_id_is_drawn_for_length_0():
    assert sample(model_of(), [1], 0, np.random.default_rng(0)).shape == (0,)


@pytest.mark.parametrize(
    ("prefix", "options", "message"),
    [
        ([], {}, r"at least one id, .* received shape \(0,\)"),
        ("the", {}, r"received shape \(\)"),
        ([[1, 2]], {}, r"received shape \(1, 2\)"),
        ([1.0], {}, "integer ids; received float64"),
        (["t", "h"], {}, "integer ids; received <U1"),
        ([7], {}, r"knows ids 0\.\.6; received 7\.\.7"),
        ([-1], {}, r"received -1\.\.-1"),
        ([1], {"temperature": -0.1}, "temperature >= 0"),
        ([1], {"temperature": math.nan}, "temperature >= 0"),
        ([1], {"top_k": 0}, "top_k >= 1; received 1.0, 5, 0"),
        ([1], {"length": -1}, "length >= 0"),
    ],
)
def test_a_sample_that_cannot_be_drawn_is_refused(prefix, options, message):
    with pytest.raises(ValueError, match=message):
        sample(model_of(), prefix, **{"length": 5, "rng": np.random.default_rng(0)} | options)


@pytest.fixture
def short_run(monkeypatch):
    """A short run of 20 s, on a clock by which 8 s pass whenever somebody looks at it."""
    monkeypatch.setenv("UNROLLED_SHORT_RUN", "20")
    ticks = iter(range(0, 10_000, 8))
    monkeypatch.setattr(training.time, "monotonic", lambda: next(ticks))


def test_a_short_run_stops_a_training_in_the_middle_of_a_pass_and_says_so(short_run, capsys):
    batches = [(ids_of(5, 2), ids_of(5, 2))] * 50
    history = train(model_of(), [batches], SGD(0.1))
    assert 0 < len(history.losses) < 5
    assert f"the training stopped early, after {len(history.losses)} × update" in capsys.readouterr().out


def test_a_short_run_stops_a_loop_with_a_bar_after_one_item_at_least(short_run, capsys):
    assert list(training.progress(range(50), "pass")) in ([0], [0, 1], [0, 1, 2])
    assert "× pass" in capsys.readouterr().out


def test_a_short_run_of_no_number_is_refused(monkeypatch):
    monkeypatch.setenv("UNROLLED_SHORT_RUN", "soon")
    with pytest.raises(ValueError, match="UNROLLED_SHORT_RUN should be a number of seconds, such as 20, received 'soon'"):
        train(model_of(), [[(ids_of(5, 2), ids_of(5, 2))]], SGD(0.1))
