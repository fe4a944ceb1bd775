"""How fast is training in NumPy beside torch, on the same work? An RNN of 256 units, 32 sequences of 35 steps.

Three ways do the same update (loss, gradients, clipping, one step of Adam; float32): our NumPy with its hand-written
backward, a torch loop over steps with autograd, and `nn.RNN`, both with one-hot inputs. First they are held against each
other: the same weights must give the same loss and the same gradients.

Rounds take turns, so that other work on the machine disturbs all three alike; medians are printed, and written to
`_build/benchmarks/numpy_training.json`. Two times are taken: by the clock, and CPU time, which other programs hardly
touch. The budget, by the clock on two threads: at least 1.5 times the torch loop and 1.2 times `nn.RNN`.

Last it says what limits our update: each kind of work is done again alone, on arrays of the same shapes, and given as a share of the update.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from common import write
from threadpoolctl import threadpool_limits
from torch import nn

from unrolled import metrics, torch_models, training

H, N, T, V = 256, 32, 35, 28
LEARNING_RATE, THETA = 1e-3, 1.0
NUMPY, LOOP, MODULE = "NumPy, by hand", "torch loop over steps", "nn.RNN"
SMALL = "small products, step after step"
BUDGET = {LOOP: 1.5, MODULE: 1.2}

Update = Callable[[np.ndarray, np.ndarray], None]


class TorchRNN(nn.Module):
    """The same model in torch, with the weights of a NumPy model, in the course's layout."""

    def __init__(self, model: training.LanguageModel):
        super().__init__()
        self.weights = nn.ParameterDict({name: torch.tensor(value) for name, value in model.params.items()})

    def forward(self, X: torch.Tensor, H_t: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        W = self.weights
        projected = nn.functional.one_hot(X, V).float() @ W["W_xh"] + W["b_h"]  # (T,N,H), for all steps at once, as ours
        states, H_t = [], H_t[0]
        for Z in projected:
            H_t = torch.tanh(Z + H_t @ W["W_hh"])  # (N,H)
            states.append(H_t)
        return torch.stack(states) @ W["W_hq"] + W["b_q"], H_t[None]


def torch_loss(model: nn.Module, X: np.ndarray, Y: np.ndarray, state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    logits, state = model(torch.from_numpy(X), state)
    return nn.functional.cross_entropy(logits.flatten(0, 1), torch.from_numpy(Y).flatten()), state.detach()


def numpy_training(model: training.LanguageModel, batches: list) -> Callable[[], None]:
    optimizer = training.Adam(LEARNING_RATE)
    return lambda: training.train(model, [batches], optimizer, THETA)


def torch_training(model: nn.Module, batches: list) -> Callable[[], None]:
    optimizer = torch.optim.Adam(model.parameters(), LEARNING_RATE)

    def run() -> None:
        state = torch.zeros(1, N, H)
        for X, Y in batches:
            loss, state = torch_loss(model, X, Y, state)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), THETA)
            optimizer.step()
            loss.item()  # our loop keeps every loss, too

    return run


def assert_same_work(model: training.LanguageModel, X: np.ndarray, Y: np.ndarray) -> None:
    """The three ways agree on the loss and on the gradient of the recurrent weights."""
    loss, grads, _ = training.loss_and_gradients(model, X, Y, model.zero_state(N))
    loop, module = TorchRNN(model), torch_models.from_numpy(model)
    for twin in (loop, module):
        their_loss, _ = torch_loss(twin, X, Y, torch.zeros(1, N, H))
        their_loss.backward()
        assert abs(their_loss.item() - loss) < 1e-4, (type(twin).__name__, their_loss.item(), loss)
    for theirs in (loop.weights["W_hh"].grad, module.cell.weight_hh_l0.grad.T):
        error = np.linalg.norm(theirs.numpy() - grads["W_hh"]) / np.linalg.norm(grads["W_hh"])
        assert error < 1e-3, error


def measure(threads: int, rounds: int, updates: int) -> dict:
    """Tokens a second of each way, by the clock and by CPU time: medians over rounds that take turns."""
    torch.set_num_threads(threads)
    rng = np.random.default_rng(0)
    model = training.init_model(training.RNN, V, H, rng, np.float32)
    ids = rng.integers(0, V, (updates, 2, T, N))
    batches = [(pair[0], pair[1]) for pair in ids]
    assert_same_work(model, *batches[0])
    ways = {
        NUMPY: numpy_training(model, batches),
        LOOP: torch_training(TorchRNN(model), batches),
        MODULE: torch_training(torch_models.from_numpy(model), batches),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    cpu: dict[str, list[float]] = {name: [] for name in ways}
    parts = our_work(model, *batches[0])
    alone: dict[str, list[float]] = {name: [] for name in parts}
    with threadpool_limits(threads, user_api="blas"):
        for turn in range(rounds + 1):
            for name, run in ways.items():
                began, began_cpu = time.perf_counter(), time.process_time()
                run()
                if turn:  # the first round only warms up
                    seconds[name].append(time.perf_counter() - began)
                    cpu[name].append(time.process_time() - began_cpu)
            for name, work in parts.items():
                began_cpu = time.process_time()
                for _ in range(updates):
                    work()
                if turn:
                    alone[name].append(time.process_time() - began_cpu)
        small = best_seconds(parts[SMALL])
    tokens = updates * T * N
    speed = product_speed(threads)
    reached = tokens / statistics.median(seconds[NUMPY]) * products_a_token()
    return {
        "threads": threads,
        "product_gflops": speed / 1e9,
        "numpy_share_of_product_speed": reached / speed,
        "small_products_share_of_product_speed": 4 * T * N * H * H / small / speed,
        "share_of_update": {
            name: statistics.median(part / whole for part, whole in zip(times, cpu[NUMPY], strict=True)) for name, times in alone.items()
        },
        "tokens_a_second": {name: tokens / statistics.median(times) for name, times in seconds.items()},
        "tokens_a_cpu_second": {name: tokens / statistics.median(times) for name, times in cpu.items()},
        # A ratio for each round, then the median: both of its sides ran within the same seconds.
        "numpy_is_faster_by": {
            name: statistics.median(t / ours for t, ours in zip(seconds[name], seconds[NUMPY], strict=True)) for name in BUDGET
        },
        "numpy_is_faster_by_cpu_time": {
            name: statistics.median(t / ours for t, ours in zip(cpu[name], cpu[NUMPY], strict=True)) for name in BUDGET
        },
    }


def our_work(model: training.LanguageModel, X: np.ndarray, Y: np.ndarray) -> dict[str, Callable[[], object]]:
    """The kinds of work in an update of ours, each to be done alone on arrays of the same shapes."""
    rng = np.random.default_rng(1)
    W_hh, W_hq = model.params["W_hh"], model.params["W_hq"]
    W_hh_T = np.ascontiguousarray(W_hh.T)
    H_all = rng.uniform(-1, 1, (T, N, H)).astype(np.float32)
    logits, one_row = rng.normal(size=(T, N, V)).astype(np.float32), np.empty((N, H), np.float32)
    flat, flat_logits = H_all.reshape(-1, H), logits.reshape(-1, V)
    params = {name: value.copy() for name, value in model.params.items()}
    grads = {name: rng.normal(size=value.shape).astype(np.float32) for name, value in params.items()}
    optimizer = training.Adam(LEARNING_RATE)

    def small_products() -> None:
        for weights in (W_hh, W_hh_T):  # forward, backward
            for H_t in H_all:
                np.matmul(H_t, weights, out=one_row)

    def large_products() -> tuple[np.ndarray, ...]:
        return flat.T @ flat, flat @ W_hq, flat_logits @ W_hq.T, flat.T @ flat_logits, flat_logits.T @ flat

    def tanh() -> None:
        for H_t in H_all:
            np.tanh(H_t, out=one_row)

    def softmax_and_loss() -> None:
        metrics.cross_entropy(logits, Y)
        metrics.cross_entropy_backward(logits, Y)

    def clipping_and_adam() -> None:
        optimizer.update(params, training.clip_by_norm(grads, THETA)[0])

    return {
        SMALL: small_products, "products over all steps at once": large_products, "tanh": tanh,
        "softmax and loss": softmax_and_loss, "clipping and Adam": clipping_and_adam,
    }  # fmt: skip


def products_a_token() -> int:
    """Floating-point operations in the matrix products of one update, for each token; inputs are looked up, not multiplied.

    States 2 H^2 forward, 4 H^2 backward; output 2 H V forward, 4 H V backward; the one-hot gradient of W_xh 2 V H.
    """
    return 6 * H * H + 8 * H * V


def product_speed(threads: int) -> float:
    """Operations a second of one large product (T N, H) @ (H, H) in float32, the best of some: what the machine can do."""
    rng = np.random.default_rng(0)
    A, B = rng.normal(size=(T * N, H)).astype(np.float32), rng.normal(size=(H, H)).astype(np.float32)
    out = np.empty_like(A)
    with threadpool_limits(threads, user_api="blas"):
        best = best_seconds(lambda: np.matmul(A, B, out=out))
    return 2 * T * N * H * H / best


def best_seconds(work: Callable[[], object], times: int = 200) -> float:
    """The least time that a piece of work took."""
    best = math.inf
    for _ in range(times):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best


def print_table(result: dict) -> None:
    print(f"\n{result['threads']} thread{'s' * (result['threads'] > 1)}")
    print(f"{'':<22}  tokens/s  NumPy is faster by  tokens/CPU s  NumPy is faster by")
    for name, speed in result["tokens_a_second"].items():
        ratios = [result[key].get(name) for key in ("numpy_is_faster_by", "numpy_is_faster_by_cpu_time")]
        clock, cpu = (f"{ratio:17.2f}×" if ratio else f"{'':18}" for ratio in ratios)
        print(f"{name:<22}  {speed:8,.0f}  {clock}  {result['tokens_a_cpu_second'][name]:12,.0f}  {cpu}")
    print(
        f"counting its matrix products only, an update in NumPy reaches {result['numpy_share_of_product_speed']:.0%} of the speed "
        f"of one large product, {result['product_gflops']:.0f} GFLOP/s here"
    )
    print("what limits it, each kind of work done alone, as a share of the update's CPU time:")
    shares = result["share_of_update"]
    for name, share in shares.items():
        note = f", at {result['small_products_share_of_product_speed']:.0%} of the speed of a large one" if name == SMALL else ""
        print(f"  {share:4.0%}  {name}{note}")
    print(f"  {max(0.0, 1 - sum(shares.values())):4.0%}  the rest: additions, copies, and arrays that the cache has lost in between")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--updates", type=int, default=20, help="updates in a round")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()

    os.environ.setdefault("UNROLLED_PROGRESS", "off")
    print(f"RNN, H={H}, N={N}, T={T}, V={V}, float32; NumPy {np.__version__}, torch {torch.__version__}")
    load = os.getloadavg()[0]
    if load > 0.5:
        print(f"Other programs are running (load {load:.1f}): trust CPU time on one thread more than the clock.")
    results = []
    for threads in arguments.threads:
        results.append(measure(threads, arguments.rounds, arguments.updates))
        print_table(results[-1])
    for name, factor in BUDGET.items():
        ratio = results[-1]["numpy_is_faster_by"][name]
        verdict = "met" if ratio >= factor else "MISSED"
        print(f"budget: {factor}× {name} on {results[-1]['threads']} threads: {ratio:.2f}×, {verdict}")

    sizes = {"H": H, "N": N, "T": T, "V": V}
    write("numpy_training", {"sizes": sizes, "rounds": arguments.rounds, "load_at_start": load, "results": results, "budget": BUDGET})


if __name__ == "__main__":
    main()
