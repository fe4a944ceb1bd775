"""The same language models in torch, concise, and their training loop."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from torch import nn

from .training import History, LanguageModel, TrainingDiverged, batches_of, checked_text, progress

Item = TypeVar("Item")
Result = TypeVar("Result")

KINDS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


class TorchLanguageModel(nn.Module):
    """`nn.RNN`, `nn.LSTM` or `nn.GRU` between one-hot ids and an output layer; all weights float32 unless told otherwise.

    kind: "rnn", "lstm" or "gru". seed: of torch's usual initial weights. An LSTM's forget gates start at `forget_bias` (torch
    adds two biases: only one of them is set).
    """

    def __init__(self, kind: str, V: int, H: int, seed: int, forget_bias: float = 1.0):
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f"There is no cell {kind!r}; the cells are: {', '.join(KINDS)}.")
        self.V, self.H = V, H
        with torch.random.fork_rng(devices=[]):  # the weights come from `seed`; torch's global state stays as it was
            torch.manual_seed(seed)
            self.cell = KINDS[kind](V, H)
            self.output = nn.Linear(H, V)
        if kind == "lstm":
            with torch.no_grad():
                self.cell.bias_ih_l0[H : 2 * H] = forget_bias
                self.cell.bias_hh_l0[H : 2 * H] = 0.0

    def forward(self, X: torch.Tensor, state=None):
        """X: ids `(T, N)`. Returns logits `(T, N, V)` and the last state in torch's form."""
        one_hot = nn.functional.one_hot(X, self.V).to(self.output.weight.dtype)
        H, state = self.cell(one_hot, state)
        return self.output(H), state


def _detached(state):
    return tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()


def train(
    model: TorchLanguageModel,
    passes: Iterable[Sequence[tuple[np.ndarray, np.ndarray]]],
    lr: float,
    steps: int,
    theta: float = 1.0,
) -> History:
    """Train in place with Adam, the learning rate falling to zero along a half cosine over `steps` updates.

    passes: for each pass over the text its batches `(X, Y)` of ids `(T, N)`; the state is carried from batch to batch and its
    gradient cut. Returns loss and gradient norm of every update. Raises TrainingDiverged as `training.train` does.
    """
    device = model.output.weight.device
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    losses, norms = [], []
    model.train()
    for batches in progress(passes, "pass"):
        state = None
        for X, Y in batches_of(batches):
            logits, state = model(torch.as_tensor(X, device=device), state)
            state = _detached(state)
            loss = nn.functional.cross_entropy(logits.flatten(0, 1), torch.as_tensor(Y, device=device).flatten())
            optimizer.zero_grad()
            loss.backward()
            norm = nn.utils.clip_grad_norm_(model.parameters(), theta).item()
            if not (math.isfinite(loss.item()) and math.isfinite(norm)):
                raise TrainingDiverged(
                    f"Training diverged at update {len(losses) + 1}: loss {loss.item():.4g}, gradient norm {norm:.4g}. "
                    "Clip the gradient (theta), or lower the learning rate."
                )
            optimizer.step()
            if schedule.last_epoch < steps:  # beyond that torch's cosine would rise again
                schedule.step()
            losses.append(loss.item())
            norms.append(norm)
    return History(np.array(losses), np.array(norms))


@torch.no_grad()
def token_log_probs(model: TorchLanguageModel, ids: np.ndarray) -> np.ndarray:
    """Natural log-probability of each of ids[1:], given all before it: `(len(ids) - 1,)` float64, as `training.token_log_probs`."""
    model.eval()
    device = model.output.weight.device
    ids = torch.as_tensor(checked_text(ids, model.V), device=device)
    state, pieces = None, []
    for start in range(0, len(ids) - 1, 1000):
        Y = ids[start + 1 : start + 1001]
        logits, state = model(ids[start : start + len(Y), None], state)
        log_probs = logits[:, 0].double().log_softmax(-1)
        pieces.append(log_probs.gather(-1, Y[:, None])[:, 0])
    return torch.cat(pieces).cpu().numpy()


def held_out_loss(model: TorchLanguageModel, ids: np.ndarray) -> float:
    """Mean nats a token over ids[1:], as one sequence with the state carried from zero."""
    return float(-token_log_probs(model, ids).mean())


def from_numpy(model: LanguageModel) -> TorchLanguageModel:
    """The torch twin of a NumPy model, with the same weights and dtype (torch's second bias is zero where ours has none)."""
    kind = model.cell.name.lower()
    twin = TorchLanguageModel(kind, model.V, model.H, seed=0)
    twin.to(torch.as_tensor(model.params["W_hq"]).dtype)
    W_x, W_h, b_x, *b_h = (torch.as_tensor(value) for value in model.weights())
    with torch.no_grad():
        twin.cell.weight_ih_l0.copy_(W_x.T)
        twin.cell.weight_hh_l0.copy_(W_h.T)
        twin.cell.bias_ih_l0.copy_(b_x)
        twin.cell.bias_hh_l0.copy_(b_h[0] if b_h else torch.zeros_like(b_x))
        twin.output.weight.copy_(torch.as_tensor(model.params["W_hq"]).T)
        twin.output.bias.copy_(torch.as_tensor(model.params["b_q"]))
    return twin


# --- For any network -----------------------------------------------------------------------------


def fit(
    model: nn.Module,
    batch_loss: Callable[..., torch.Tensor],
    draw: Callable[[], Sequence[Any]],
    updates: int,
    optimizer: torch.optim.Optimizer,
    theta: float = 1.0,
) -> np.ndarray:
    """Update a network `updates` times with the loss `batch_loss(model, *draw())`, its gradient clipped at norm theta.

    Returns the loss of every update. Raises TrainingDiverged as `train` does.
    """
    losses = []
    for _ in progress(range(updates), "update"):
        loss = batch_loss(model, *draw())
        optimizer.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), theta).item()
        if not (math.isfinite(loss.item()) and math.isfinite(norm)):
            raise TrainingDiverged(
                f"Training diverged at update {len(losses) + 1}: loss {loss.item():.4g}, gradient norm {norm:.4g}. "
                "Clip the gradient (theta), or lower the learning rate."
            )
        optimizer.step()
        losses.append(loss.item())
    return np.array(losses)


def at_once(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """What `work` returns for each item; it does two at a time, each on a core of its own.

    Threads do, since torch computes outside of Python's lock. They share torch's random numbers: make networks before, one after the other.
    """
    from joblib import Parallel, delayed

    return Parallel(n_jobs=2, prefer="threads")(delayed(work)(item) for item in items)


def layers_of(module: nn.RNNBase) -> list[tuple[np.ndarray, ...]]:
    """The weights of a torch module as `cells` takes them, one tuple for each layer and direction: W_x `(D, G H)`, W_h `(H, G H)`, b `(G H,)`.

    G is the number of blocks, 1 for an RNN and 4 for an LSTM; torch's two biases are added. A GRU's two biases stay apart, as its cell needs
    them: W_x, W_h, b_x, b_h.
    """
    layers = []
    for weights in module.all_weights:
        W_ih, W_hh, b_ih, b_hh = (parameter.detach().numpy() for parameter in weights)
        biases = (b_ih, b_hh) if isinstance(module, nn.GRU) else (b_ih + b_hh,)
        layers.append((W_ih.T, W_hh.T, *biases))
    return layers


def recorded_operations(tensor: torch.Tensor) -> list[str]:
    """Names of all operations that autograd has recorded in a tensor's history, one for each."""
    names, waiting, seen = [], [tensor.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            names.append(node.name().split("::")[-1])
            waiting += [before for before, _ in node.next_functions]
    return names
