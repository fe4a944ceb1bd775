"""The truth that learners' functions are compared with: torch in float64, on a GPU when there is one.

One module an assignment, one function a task, under the task's name. Every function takes and returns NumPy arrays, in the
course's layout. torch is imported at the first call, so that importing this package is cheap.
"""

from .bptt import (
    clip_by_norm, cross_entropy_backward, gradient_norm_by_lag, rnn_backward, rnn_step_backward, truncated_rnn_backward,
)
from .gru_and_depth import bidirectional_forward, gru_forward, gru_step, masked_cross_entropy, stacked_forward, torch_gru
from .language_models import bigram_probs, build_vocab, ngram_counts, perplexity, sequential_batches, tokenize
from .lstm import init_lstm, lstm_backward, lstm_forward, lstm_from_torch, lstm_step, torch_lstm
from .rnn_forward import cross_entropy, num_parameters, one_hot, output_logits, rnn_forward, rnn_step, torch_rnn
from .seq2seq import attention, beam_search, bleu, greedy_decode, minimal_scan
from .torch_arrays import describe, device, provenance, torch_module
from .training import evaluate, next_token_probs, sample, train, train_step
from .your_data import macro_f1, majority_and_bag_baselines, split_by_group

__all__ = [
    "evaluate", "next_token_probs", "sample", "train", "train_step",
    "bigram_probs", "build_vocab", "ngram_counts", "perplexity", "sequential_batches", "tokenize",
    "clip_by_norm", "cross_entropy_backward", "gradient_norm_by_lag", "rnn_backward", "rnn_step_backward", "truncated_rnn_backward",
    "cross_entropy", "describe", "device", "num_parameters", "one_hot", "output_logits", "rnn_forward", "rnn_step", "torch_rnn",
    "provenance", "torch_module",
    "init_lstm", "lstm_backward", "lstm_forward", "lstm_from_torch", "lstm_step", "torch_lstm",
    "bidirectional_forward", "gru_forward", "gru_step", "masked_cross_entropy", "stacked_forward", "torch_gru",
    "macro_f1", "majority_and_bag_baselines", "split_by_group",
    "attention", "beam_search", "bleu", "greedy_decode", "minimal_scan",
]  # fmt: skip
