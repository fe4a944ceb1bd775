"""A recurrent network that learns to write a text, letter by letter. NumPy and this file are all you need.

    python char_rnn.py TEXT.txt                # trains, and writes after every pass
    python char_rnn.py TEXT.txt --passes 20 --units 256 --temperature 0.7 --seed 1

The last tenth of the text is held out. Training stops when its loss has not fallen for three passes; the best network writes the end.
"""

import argparse
import math
from pathlib import Path

import numpy as np


def init_params(V, H, rng):
    """Weights uniform in ±1/√H, biases zero."""
    shapes = {"W_xh": (V, H), "W_hh": (H, H), "b_h": (H,), "W_hq": (H, V), "b_q": (V,)}
    bound = 1 / math.sqrt(H)
    return {name: (rng.uniform(-bound, bound, shape) if len(shape) == 2 else np.zeros(shape)).astype(np.float32)
            for name, shape in shapes.items()}  # fmt: skip


def forward(params, X, H_0):
    """Ids X (T, N) from the state H_0 (N, H): states (T, N, H) and log-probabilities (T, N, V)."""
    states, H_t = [], H_0
    for x in X:
        H_t = np.tanh(params["W_xh"][x] + H_t @ params["W_hh"] + params["b_h"])
        states.append(H_t)
    H = np.array(states)
    logits = H @ params["W_hq"] + params["b_q"]
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return H, shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def loss_and_gradients(params, X, Y, H_0):
    """Mean loss in nats, the five gradients, the last state. The gradient is cut at H_0."""
    H, log_p = forward(params, X, H_0)
    dO = np.exp(log_p)
    np.put_along_axis(dO, Y[..., None], np.take_along_axis(dO, Y[..., None], -1) - 1, -1)
    dO /= Y.size
    dH, dZ, from_later = dO @ params["W_hq"].T, np.empty_like(H), np.zeros_like(H_0)
    for t in reversed(range(len(X))):
        dZ[t] = (dH[t] + from_later) * (1 - H[t] * H[t])
        from_later = dZ[t] @ params["W_hh"].T
    H_prev, flat = np.concatenate([H_0[None], H[:-1]]), lambda A: A.reshape(-1, A.shape[-1])
    dW_xh = np.zeros_like(params["W_xh"])
    np.add.at(dW_xh, X, dZ)  # the product with one-hot rows
    grads = {"W_xh": dW_xh, "W_hh": flat(H_prev).T @ flat(dZ), "b_h": flat(dZ).sum(axis=0),
             "W_hq": flat(H).T @ flat(dO), "b_q": flat(dO).sum(axis=0)}  # fmt: skip
    return -np.take_along_axis(log_p, Y[..., None], -1).mean(), grads, H[-1]


def train_pass(params, ids, memory, lr, N=32, T=32, theta=1.0):
    """One pass over the text in N strips, the state carried from window to window; Adam, clipped. Mean loss."""
    strips = ids[: len(ids) // N * N].reshape(N, -1).T  # (length of a strip, N)
    H_t, losses = np.zeros((N, len(params["b_h"])), np.float32), []
    for a in range(0, len(strips) - 1, T):
        Y = strips[a + 1 : a + 1 + T]
        loss, grads, H_t = loss_and_gradients(params, strips[a : a + len(Y)], Y, H_t)
        norm = math.sqrt(sum(float((g * g).sum()) for g in grads.values()))
        memory["t"] = t = memory.get("t", 0) + 1
        for name, g in grads.items():
            mean, square = memory.setdefault(name, (np.zeros_like(g), np.zeros_like(g)))
            g = g * min(1.0, theta / norm)
            mean += 0.1 * (g - mean)
            square += 0.001 * (g * g - square)
            params[name] -= lr * (mean / (1 - 0.9**t)) / (np.sqrt(square / (1 - 0.999**t)) + 1e-8)
        losses.append(loss)
    return float(np.mean(losses))


def held_out_loss(params, ids):
    """Mean nats per character of a text that is read in one piece."""
    _, log_p = forward(params, ids[:-1, None], np.zeros((1, len(params["b_h"])), np.float32))
    return float(-log_p[np.arange(len(ids) - 1), 0, ids[1:]].mean())


def write(params, prefix, length, temperature, rng, mass=0.95):
    """Continue ids: draw from the nucleus that holds `mass` of the probability."""
    H_t, written = np.zeros((1, len(params["b_h"])), np.float32), []
    read = prefix
    for _ in range(length):
        H, log_p = forward(params, np.array(read)[:, None], H_t)
        p = np.exp(log_p[-1, 0].astype(np.float64) / temperature)
        order = np.argsort(-p)
        order = order[: np.searchsorted(np.cumsum(p[order] / p.sum()), mass) + 1]
        written.append(rng.choice(order, p=p[order] / p[order].sum()))
        H_t, read = H[-1], written[-1:]
    return written


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    for name, default in {"passes": 20, "units": 128, "length": 200, "seed": 0, "lr": 2e-3, "temperature": 0.8}.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    options = parser.parse_args()
    try:
        text = options.text.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        parser.error(f"a text file in UTF-8 is expected: {error}")
    letters = sorted(set(text))
    ids = np.searchsorted(letters, list(text))
    if len(ids) < 2_000:
        parser.error(f"the text should have at least 2,000 characters; {options.text} has {len(ids)}")
    cut, rng = len(ids) * 9 // 10, np.random.default_rng(options.seed)
    params, memory = init_params(len(letters), options.units, rng), {}
    best, best_params, waited = math.inf, params, 0
    for number in range(1, options.passes + 1):
        loss = train_pass(params, ids[:cut], memory, options.lr)
        held_out = held_out_loss(params, ids[cut:])
        print(f"\npass {number}: training {loss:.3f}, held out {held_out:.3f} nats per character")
        if held_out < best:
            best, best_params, waited = held_out, {name: a.copy() for name, a in params.items()}, 0
        elif (waited := waited + 1) == 3:
            break
        print("".join(letters[i] for i in write(params, ids[:20].tolist(), options.length, options.temperature, rng)))
    print(f"\nThe best network, {best:.3f} nats per character on what was held out, writes:")
    print("".join(letters[i] for i in write(best_params, ids[:20].tolist(), 3 * options.length, options.temperature, rng)))


if __name__ == "__main__":
    main()
