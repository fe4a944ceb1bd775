"""The references that judge: equal to plain NumPy, on the device that was asked for, clear when they cannot run."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unrolled import reference

sizes = {name: st.integers(1, 5) for name in "TNDHV"} | {"seed": st.integers(0, 99)}


def in_a_fresh_python(code):
    """Run code where nothing is imported yet: (exit code, stdout, stderr)."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.strip(), done.stderr.strip()


def rnn_arguments(T, N, D, H, seed):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in ((T, N, D), (N, H), (D, H), (H, H), (H,))]


@given(**sizes)
def test_states_equal_a_plain_loop(T, N, D, H, V, seed):
    X, H_0, W_xh, W_hh, b_h = rnn_arguments(T, N, D, H, seed)
    H_t, states = H_0, []
    for X_t in X:
        H_t = np.tanh(X_t @ W_xh + H_t @ W_hh + b_h)
        states.append(H_t)
    np.testing.assert_allclose(reference.rnn_forward(X, H_0, W_xh, W_hh, b_h), states, rtol=0, atol=1e-13)
    np.testing.assert_allclose(reference.rnn_step(X[0], H_0, W_xh, W_hh, b_h), states[0], rtol=0, atol=1e-13)


@given(**sizes)
def test_one_hot_logits_and_loss_equal_plain_numpy(T, N, D, H, V, seed):
    rng = np.random.default_rng(seed)
    states, W_hq, b_q, Y = rng.normal(size=(T, N, H)), rng.normal(size=(H, V)), rng.normal(size=V), rng.integers(0, V, (T, N))
    logits = np.einsum("tnh,hv->tnv", states, W_hq) + b_q
    rows = np.eye(V)[Y]
    np.testing.assert_array_equal(reference.one_hot(Y, V), rows)
    np.testing.assert_allclose(reference.output_logits(states, W_hq, b_q), logits, rtol=0, atol=1e-13)
    p = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    assert reference.cross_entropy(logits, Y) == pytest.approx(-np.log((p * rows).sum(axis=-1)).mean(), rel=1e-12, abs=1e-12)


@given(**sizes)
def test_parameters_are_counted_over_the_five_arrays(T, N, D, H, V, seed):
    assert reference.num_parameters(D, H, V) == sum(np.zeros(s).size for s in ((D, H), (H, H), (H,), (H, V), (V,)))


def test_references_return_float64_numpy_arrays_and_take_float32():
    arguments = [a.astype(np.float32) for a in rnn_arguments(4, 2, 3, 5, 0)]
    H = reference.rnn_forward(*arguments)
    assert type(H) is np.ndarray
    assert H.dtype == np.float64
    assert reference.one_hot(np.array([[0]], np.int8), 3).dtype == np.float64
    assert type(reference.cross_entropy(np.zeros((1, 1, 3)), np.zeros((1, 1), int))) is float


@pytest.mark.filterwarnings("error")
def test_references_change_none_of_their_inputs_and_take_read_only_ones():
    arguments = rnn_arguments(4, 2, 3, 5, 0)
    before = [a.copy() for a in arguments]
    for a in arguments:
        a.flags.writeable = False
    reference.rnn_forward(*arguments)
    for a, kept in zip(arguments, before, strict=True):
        np.testing.assert_array_equal(a, kept)


def test_a_reference_leaves_the_random_state_of_torch_alone():
    before = torch.get_rng_state()
    reference.rnn_forward(*rnn_arguments(4, 2, 3, 5, 0))
    reference.num_parameters(3, 4, 5)
    assert torch.equal(torch.get_rng_state(), before)


def test_no_reference_waits_for_sympy_which_torch_imports_for_some_calls():
    code = """
import sys
from unrolled.checks import TASKS
from unrolled.checks.run import drawn
for task in TASKS.values():
    cases = drawn(task, 0)
    for case in [cases.form, *cases.values]:
        if case.judge is None:
            cases.truth(case)
assert "torch" in sys.modules
print(sorted({"sympy", "torch._dynamo"} & set(sys.modules)))
"""
    found, out, err = in_a_fresh_python(code)
    assert (found, out) == (0, "[]"), err


def test_a_module_with_given_weights_takes_gradients_as_one_that_drew_its_own():
    rng = np.random.default_rng(0)
    rnn = reference.torch_rnn(rng.normal(size=(3, 4)), rng.normal(size=(4, 4)), rng.normal(size=4))
    rnn(torch.ones(2, 1, 3, dtype=torch.float64))[0].sum().backward()
    assert all(weight.grad is not None and weight.dtype == torch.float64 for weight in rnn.parameters())


def test_importing_the_references_does_not_import_torch():
    code, out, err = in_a_fresh_python("import sys, unrolled.reference; print('torch' in sys.modules)")
    assert (code, out) == (0, "False"), err


@pytest.fixture
def choose(monkeypatch):
    """Choose a device anew, and forget it afterwards."""

    def choose(wanted):
        monkeypatch.setenv("UNROLLED_DEVICE", wanted)
        reference.device.cache_clear()

    yield choose
    reference.device.cache_clear()


def test_the_device_can_be_chosen_and_is_named_with_the_version(choose):
    choose("cpu")
    assert reference.device() == torch.device("cpu")
    assert reference.describe() == f"torch {torch.__version__.split('+')[0]}, float64, on cpu"


def test_without_a_choice_the_gpu_judges_if_there_is_one(choose):
    choose("")
    assert reference.device().type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize("wanted", ["gpu", "cuda:99", "meta"])
def test_a_device_that_cannot_be_used_is_named_in_one_sentence(choose, wanted):
    choose(wanted)
    with pytest.raises(RuntimeError) as caught:
        reference.device()
    message = str(caught.value)
    assert message.startswith(f"UNROLLED_DEVICE='{wanted}' can't be used here (")
    assert message.endswith("): set it to cpu, or unset it.")
    assert "\n" not in message
    assert caught.value.__suppress_context__  # no second traceback above it


def test_missing_torch_is_named_with_what_to_install():
    code, _, err = in_a_fresh_python(
        "import sys; sys.modules['torch'] = None\nfrom unrolled import reference\nreference.one_hot([[0]], 2)"
    )
    assert code == 1
    assert err.splitlines()[-1] == (
        "ImportError: The reference models need torch, which is not installed here: run `pip install torch`, or `make setup`."
    )
    assert "During handling" not in err


def test_matrix_products_on_a_gpu_keep_all_their_bits():
    reference.device()
    assert not torch.backends.cuda.matmul.allow_tf32
    assert not torch.backends.cudnn.allow_tf32
