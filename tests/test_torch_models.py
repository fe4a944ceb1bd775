"""The torch twins: same numbers as the NumPy models, and a training loop that learns."""

import math

import numpy as np
import pytest
import torch

from unrolled import cells, torch_models, training
from unrolled.text import random_batches, sequential_batches
from unrolled.torch_models import KINDS, TorchLanguageModel, from_numpy
from unrolled.training import GRU, LSTM, RNN, TrainingDiverged, init_model

every_cell = pytest.mark.parametrize("cell", [RNN, LSTM, GRU], ids=lambda cell: cell.name)
every_kind = pytest.mark.parametrize("kind", KINDS)


def model_of(cell, V=7, H=6, dtype=np.float64):
    rng = np.random.default_rng(0)
    model = init_model(cell, V, H, rng, dtype)
    for value in model.params.values():
        value += rng.uniform(-0.5, 0.5, value.shape).astype(dtype)
    return model


def counting(V=5, n=400):
    """A text that is easy to learn: 0, 1, ..., V - 1, again and again."""
    return np.arange(n) % V


@every_cell
def test_a_twin_gives_the_same_logits(cell):
    model = model_of(cell)
    ids = np.random.default_rng(0).integers(0, 7, size=(9, 3))
    ours, state = model.logits(ids, model.zero_state(3))
    theirs, their_state = from_numpy(model)(torch.tensor(ids))
    np.testing.assert_allclose(theirs.detach(), ours, rtol=0, atol=1e-12)
    for part, their_part in zip(state, their_state if cell is LSTM else [their_state], strict=True):
        np.testing.assert_allclose(their_part[0].detach(), part, rtol=0, atol=1e-12)


@every_cell
@pytest.mark.parametrize("n", [2, 1001, 1002, 2345])
def test_a_twin_gives_the_same_scores(cell, n):
    model = model_of(cell)
    ids = np.random.default_rng(0).integers(0, 7, size=n)
    theirs = torch_models.token_log_probs(from_numpy(model), ids)
    assert theirs.dtype == np.float64
    np.testing.assert_allclose(theirs, training.token_log_probs(model, ids), rtol=0, atol=1e-12)
    assert torch_models.held_out_loss(from_numpy(model), ids) == pytest.approx(training.held_out_loss(model, ids), rel=1e-12)


@every_cell
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_twin_has_the_dtype_and_its_own_copy_of_the_weights(cell, dtype):
    model = model_of(cell, dtype=dtype)
    before = {name: value.copy() for name, value in model.params.items()}
    twin = from_numpy(model)
    assert {p.dtype for p in twin.parameters()} == {torch.as_tensor(model.params["W_hq"]).dtype}
    with torch.no_grad():
        for p in twin.parameters():
            p.zero_()
    for name, value in model.params.items():
        np.testing.assert_array_equal(value, before[name])


@every_cell
def test_adam_on_a_half_cosine_trains_a_twin_as_the_numpy_loop_does(cell):
    model = init_model(cell, 5, 8, np.random.default_rng(0))
    twin = from_numpy(model)
    twin.cell.bias_hh_l0.requires_grad_(cell is GRU)  # ours has one bias where torch adds two
    batches = sequential_batches(counting(), 2, 5)
    steps = 2 * len(batches)
    ours = training.train(model, [batches] * 2, training.Adam(0.01, steps), theta=0.1)
    theirs = torch_models.train(twin, [batches] * 2, 0.01, steps, theta=0.1)
    np.testing.assert_allclose(theirs.losses, ours.losses, rtol=1e-4)  # torch clips with an epsilon of 1e-6
    np.testing.assert_allclose(theirs.norms, ours.norms, rtol=1e-3)


@every_kind
def test_training_lowers_the_loss(kind):
    model = TorchLanguageModel(kind, 5, 12, seed=0)
    batches = sequential_batches(counting(), 4, 10)
    history = torch_models.train(model, [batches] * 8, lr=0.03, steps=8 * len(batches))
    assert history.losses[0] == pytest.approx(math.log(5), abs=0.3)
    assert history.losses[-1] < 0.1
    assert history.norms.shape == history.losses.shape == (8 * len(batches),)
    assert torch_models.held_out_loss(model, counting(n=100)) < 0.15


def test_beyond_its_steps_training_stands_still():
    model = TorchLanguageModel("rnn", 5, 4, seed=0)
    batches = sequential_batches(counting(n=52), 1, 10)
    torch_models.train(model, [batches], lr=0.1, steps=len(batches))
    once = [p.detach().clone() for p in model.parameters()]
    again = TorchLanguageModel("rnn", 5, 4, seed=0)
    torch_models.train(again, [batches] * 3, lr=0.1, steps=len(batches))
    for p, q in zip(once, again.parameters(), strict=True):
        assert torch.equal(p, q)


def test_divergence_is_named():
    model = TorchLanguageModel("rnn", 5, 4, seed=0)
    with torch.no_grad():
        model.output.weight[0, 0] = math.inf
    with pytest.raises(TrainingDiverged, match=r"update 1: loss (nan|inf), gradient norm .*Clip the gradient \(theta\)"):
        torch_models.train(model, [sequential_batches(counting(), 2, 5)], lr=0.1, steps=10)


def test_passes_that_are_none_are_named():
    batches = sequential_batches(counting(), 2, 5)
    used_up = random_batches(counting(), 2, 5, np.random.default_rng(0))
    model = TorchLanguageModel("rnn", 5, 4, seed=0)
    with pytest.raises(ValueError, match="received one batch"):
        torch_models.train(model, batches, lr=0.1, steps=10)
    with pytest.raises(ValueError, match="make a new one for each pass"):
        torch_models.train(model, [used_up] * 2, lr=0.1, steps=99)


@pytest.mark.parametrize("kind", ["RNN", "transformer", ""])
def test_an_unknown_cell_is_answered_with_the_known_ones(kind):
    with pytest.raises(ValueError, match=f"no cell '{kind}'; the cells are: rnn, lstm, gru"):
        TorchLanguageModel(kind, 5, 4, seed=0)


def test_the_seed_gives_the_weights_and_leaves_torchs_global_state_alone():
    before = torch.random.get_rng_state()
    first, again, other = (TorchLanguageModel("rnn", 5, 4, seed) for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(first.cell.weight_hh_l0, again.cell.weight_hh_l0)
    assert not torch.equal(first.cell.weight_hh_l0, other.cell.weight_hh_l0)


@pytest.mark.parametrize("forget_bias", [0.0, 1.0, 2.5])
def test_the_two_forget_biases_add_up_to_the_one_asked_for(forget_bias):
    cell = TorchLanguageModel("lstm", 5, 4, 0, forget_bias).cell
    np.testing.assert_array_equal((cell.bias_ih_l0 + cell.bias_hh_l0)[4:8].detach(), forget_bias)
    assert not torch.equal(cell.bias_ih_l0[:4], torch.full((4,), forget_bias))  # the other gates keep torch's start


def test_the_state_carries_over_between_calls():
    model = TorchLanguageModel("lstm", 5, 4, seed=0)
    ids = torch.arange(10)[:, None] % 5
    whole, _ = model(ids)
    _, state = model(ids[:6])
    rest, _ = model(ids[6:], state)
    torch.testing.assert_close(rest, whole[6:], rtol=1e-5, atol=1e-6)


# --- For any network ---------------------------------------------------------------------------


def squared(model, x, y):
    return ((model(x) - y) ** 2).mean()


def test_a_network_is_fitted_to_what_is_drawn():
    torch.manual_seed(0)
    model, source = torch.nn.Linear(2, 1), torch.Generator().manual_seed(0)

    def draw():
        x = torch.randn(16, 2, generator=source)
        return x, x.sum(dim=1, keepdim=True)

    losses = torch_models.fit(model, squared, draw, 200, torch.optim.Adam(model.parameters(), lr=0.05))
    assert len(losses) == 200 and losses[-1] < 1e-3 < losses[0]


def test_a_loss_that_is_no_number_stops_the_fit():
    model = torch.nn.Linear(2, 1)
    x = torch.full((4, 2), math.inf)
    with pytest.raises(TrainingDiverged, match="update 1"):
        torch_models.fit(model, squared, lambda: (x, x[:, :1]), 3, torch.optim.SGD(model.parameters(), lr=0.1))


def test_work_done_two_at_a_time_keeps_its_order():
    assert torch_models.at_once(lambda n: n * n, range(5)) == [0, 1, 4, 9, 16]


@pytest.mark.parametrize(("kind", "shapes"), [
    ("rnn", [(3, 4), (4, 4), (4,)]), ("lstm", [(3, 16), (4, 16), (16,)]), ("gru", [(3, 12), (4, 12), (12,), (12,)]),
])  # fmt: skip
def test_the_weights_of_a_layer_are_those_that_the_cells_take(kind, shapes):
    module = KINDS[kind](3, 4, num_layers=2, bidirectional=True, dtype=torch.float64)
    layers = torch_models.layers_of(module)
    assert len(layers) == 4 and [w.shape for w in layers[0]] == shapes
    X, zero = np.random.default_rng(0).normal(size=(5, 2, 3)), np.zeros((2, 4))
    forward = {"rnn": cells.rnn_forward, "lstm": lambda X, h, *w: cells.lstm_forward(X, h, h, *w)[0],
               "gru": lambda X, h, *w: cells.gru_forward(X, h, *w)[0]}[kind]  # fmt: skip
    one = KINDS[kind](3, 4, dtype=torch.float64)
    expected, _ = one(torch.tensor(X))
    np.testing.assert_allclose(forward(X, zero, *torch_models.layers_of(one)[0]), expected.detach(), rtol=0, atol=1e-12)


def test_operations_are_counted_once_though_two_paths_lead_to_them():
    x = torch.ones(1, requires_grad=True)
    y = x * 2
    assert sorted(torch_models.recorded_operations(y + y)) == ["AccumulateGrad", "AddBackward0", "MulBackward0"]
