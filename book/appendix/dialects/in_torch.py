"""The network in torch. Time first is torch's own order; matrices have a row for each output."""

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from unrolled import convert, training


@torch.no_grad()
def rnn_step(X_t, H_prev, W_xh, W_hh, b_h):
    cell = nn.RNNCell(*W_xh.shape, dtype=torch.float64)
    cell.weight_ih.copy_(torch.tensor(W_xh.T))
    cell.weight_hh.copy_(torch.tensor(W_hh.T))
    cell.bias_ih.copy_(torch.tensor(b_h))
    cell.bias_hh.zero_()  # torch adds two biases: one is enough
    return cell(torch.tensor(X_t), torch.tensor(H_prev)).numpy()


@torch.no_grad()
def lstm_layer(W_x, W_h, b):
    layer = nn.LSTM(len(W_x), len(W_h), dtype=torch.float64)
    layer.weight_ih_l0.copy_(torch.tensor(W_x.T))  # (4H, D): i, f, g, o
    layer.weight_hh_l0.copy_(torch.tensor(W_h.T))
    layer.bias_ih_l0.copy_(torch.tensor(b))
    layer.bias_hh_l0.zero_()
    return layer


@torch.no_grad()
def gru_layer(W_x, W_h, b_x, b_h):
    layer = nn.GRU(len(W_x), len(W_h), dtype=torch.float64)
    layer.weight_ih_l0.copy_(torch.tensor(W_x.T))  # (3H, D): r, z, n
    layer.weight_hh_l0.copy_(torch.tensor(W_h.T))
    layer.bias_ih_l0.copy_(torch.tensor(b_x))
    layer.bias_hh_l0.copy_(torch.tensor(b_h))  # acts inside the reset
    return layer


def weights_of(layer):
    W_ih, W_hh, b_ih, b_hh = (p.detach().numpy() for p in layer.all_weights[0])
    if isinstance(layer, nn.GRU):
        return W_ih.T, W_hh.T, b_ih, b_hh
    return W_ih.T, W_hh.T, b_ih + b_hh


@torch.no_grad()
def states(layer, X):
    out, _ = layer(torch.tensor(X))
    return out.numpy()


@torch.no_grad()
def padded(layer, X, lengths):
    packed = nn.utils.rnn.pack_padded_sequence(
        torch.tensor(X), torch.tensor(lengths), enforce_sorted=False)
    out, _ = layer(packed)
    return nn.utils.rnn.pad_packed_sequence(out, total_length=len(X))[0].numpy()


def both_directions(forward, backward, X, lengths):
    layer = nn.LSTM(X.shape[2], len(forward[1]), bidirectional=True, dtype=torch.float64)
    with torch.no_grad():
        for end, (W_x, W_h, b) in {"": forward, "_reverse": backward}.items():
            getattr(layer, f"weight_ih_l0{end}").copy_(torch.tensor(W_x.T))
            getattr(layer, f"weight_hh_l0{end}").copy_(torch.tensor(W_h.T))
            getattr(layer, f"bias_ih_l0{end}").copy_(torch.tensor(b))
            getattr(layer, f"bias_hh_l0{end}").zero_()
    return padded(layer, X, lengths)


def two_layers(first, second, X):
    layer = nn.LSTM(X.shape[2], len(first[1]), num_layers=2, dtype=torch.float64)
    with torch.no_grad():
        for k, (W_x, W_h, b) in enumerate([first, second]):
            getattr(layer, f"weight_ih_l{k}").copy_(torch.tensor(W_x.T))
            getattr(layer, f"weight_hh_l{k}").copy_(torch.tensor(W_h.T))
            getattr(layer, f"bias_ih_l{k}").copy_(torch.tensor(b))
            getattr(layer, f"bias_hh_l{k}").zero_()
    return states(layer, X)


@torch.no_grad()
def in_windows(weights, X, window):
    layer, state, read = lstm_layer(*weights), None, []
    for part in torch.tensor(X).split(window):
        out, state = layer(part, state)  # when training: state.detach()
        read.append(out)
    return torch.cat(read).numpy()


@torch.no_grad()
def encode_decode(encoder, decoder, source, target):
    _, state = lstm_layer(*encoder)(torch.tensor(source))
    out, _ = lstm_layer(*decoder)(torch.tensor(target), state)  # starts where the encoder ended
    return out.numpy()


def clipped(grads, theta):
    parameters = [nn.Parameter(torch.zeros(g.shape, dtype=torch.float64)) for g in grads]
    for p, g in zip(parameters, grads):
        p.grad = torch.tensor(g)
    nn.utils.clip_grad_norm_(parameters, theta)
    return [p.grad.numpy() for p in parameters]


def train(model, batches, lr, theta):
    V, H_size = model.V, model.H
    cell = convert.to_torch(convert.Network("lstm", [model.weights()]))
    cell.bias_hh_l0.requires_grad_(False)  # ours has one bias
    output = nn.Linear(H_size, V)
    with torch.no_grad():
        output.weight.copy_(torch.tensor(model.params["W_hq"].T))
        output.bias.copy_(torch.tensor(model.params["b_q"]))
    parameters = [p for p in (*cell.parameters(), *output.parameters()) if p.requires_grad]
    optimizer, state, losses = torch.optim.SGD(parameters, lr), None, []
    for X, Y in batches:
        rows = nn.functional.one_hot(torch.tensor(X), V).float()
        H, state = cell(rows, state)
        state = tuple(part.detach() for part in state)
        loss = nn.functional.cross_entropy(output(H).flatten(0, 1), torch.tensor(Y).flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, theta)
        optimizer.step()
        losses.append(loss.item())
    W_hq, b_q = output.weight.detach().numpy().T, output.bias.detach().numpy()
    arrays = (*convert.from_torch(cell).layers[0][0], W_hq, b_q)
    return training.LanguageModel(model.cell, dict(zip(model.params, arrays))), np.array(losses)


def save(layer, path):
    save_file(layer.state_dict(), path)  # torch.save would pickle


def load(path):
    arrays = load_file(path)
    rows, D = arrays["weight_ih_l0"].shape
    layer = nn.LSTM(D, rows // 4, dtype=torch.float64)
    layer.load_state_dict(arrays)
    return layer
