"""Mutants that do what the task asks for: by task and change, each with the reason why no check should fail it."""

OVERWRITTEN = "every entry is overwritten before it is read"
ONE_SHAPE = "the two start states have one shape"

EQUIVALENT: dict[str, dict[str, str]] = {
    "ngram_counts": {
        "tokens = ids.tolist() → tokens = ids": "a NumPy integer is equal to Python's, and so is its hash: the keys are the same",
    },
    "cross_entropy": {
        "picked = np.take_along_axis(log_probs, Y[..., None], axis=-1) → picked = np.take_along_axis(log_probs, Y[..., None])":
            "the last axis is NumPy's default here",
    },
    "train_step": {
        "H = np.zeros((T + 1, N, len(b_h))) → H = np.ones((T + 1, N, len(b_h)))": OVERWRITTEN,
        "T, N = X.shape → T, N = Y.shape": "inputs and targets have one shape",
        "from_later = np.zeros_like(H_0) → from_later = np.zeros_like(lr)": "a zero without axes is added to every entry alike",
        "scale = theta / norm if norm > theta else 1.0 → scale = theta / norm if norm >= theta else 1.0":
            "where the norm equals theta, theta / norm is 1",
        "grads['b_q'] += dlogits[s].sum(axis=0) → grads['b_q'] += dlogits[s - 1].sum(axis=0)":
            "over the loop every step is added once, the last one first",
    },
    "evaluate": {
        "for token, following in zip(ids[:-1], ids[1:]): → for token, following in zip(ids[:], ids[1:]):": "zip ends with the shorter one",
        "logits = H_t @ params['W_hq'] + params['b_q'] → logits = H_t.T @ params['W_hq'] + params['b_q']":
            "a row without a second axis is its own transpose",
        "H_t = np.tanh(params['W_xh'][token] + H_t @ params['W_hh'] + params['b_h']) → "
        "H_t = np.tanh(params['W_xh'][token] + H_t.T @ params['W_hh'] + params['b_h'])":
            "a row without a second axis is its own transpose",
    },
    "sample": {
        "scores = (H_t @ params['W_hq'] + params['b_q']) / temperature → scores = (H_t.T @ params['W_hq'] + params['b_q']) / temperature":
            "a row without a second axis is its own transpose",
        "return np.tanh(params['W_xh'][token] + H_t @ params['W_hh'] + params['b_h']) → "
        "return np.tanh(params['W_xh'][token] + H_t.T @ params['W_hh'] + params['b_h'])":
            "a row without a second axis is its own transpose",
    },
    "lstm_backward": {
        "dX = np.zeros_like(X) → dX = np.ones_like(X)": OVERWRITTEN,
        "dH_later, dC_later = (np.zeros_like(H_0), np.zeros_like(C_0)) → dH_later, dC_later = (np.zeros_like(C_0), np.zeros_like(H_0))": ONE_SHAPE,
        "dH_later, dC_later = (np.zeros_like(H_0), np.zeros_like(C_0)) → dH_later, dC_later = (np.zeros_like(C_0), np.zeros_like(C_0))": ONE_SHAPE,
    },
    "beam_search": {
        "continue → pass": "what extends a finished hypothesis is never likelier than it, and comes after it in a tie: it pushes out only what can't win",
    },
    "rnn_backward": {
        "dX = np.zeros_like(X) → dX = np.ones_like(X)": OVERWRITTEN,
    },
    "truncated_rnn_backward": {
        "dX = np.zeros_like(X) → dX = np.ones_like(X)": OVERWRITTEN,
        "for start in range(0, len(X), k): → for start in range(0, len(X) + 1, k):": "one more stretch, without a step, adds zeros",
    },
    "clip_by_norm": {
        "scale = theta / norm if norm > theta else 1.0 → scale = theta / norm if norm >= theta else 1.0":
            "where the norm equals theta, theta / norm is 1",
    },
    "gradient_norm_by_lag": {
        "slopes = 1 - H[T - k] ** 2 → slopes = H[T - k] ** 2 - 1": "a norm does not see the sign of a factor",
        "norms = [np.linalg.norm(product, axis=(1, 2)).mean()] → norms = [np.linalg.norm(product, axis=(2, 1)).mean()]":
            "a transposed matrix has the same Frobenius norm",
        "norms.append(np.linalg.norm(product, axis=(1, 2)).mean()) → norms.append(np.linalg.norm(product, axis=(2, 1)).mean())":
            "a transposed matrix has the same Frobenius norm",
    },
    "bidirectional_forward": {
        "units = len(forward[2]) → units = len(forward[1])": "W_hh has as many rows as b_h has entries",
        "units = len(forward[2]) → units = len(backward[2])": "both directions have H units",
        "alone = X[:length, n:n + 1] → alone = X[:length, n:]": "what other sequences give is not looked at",
        "alone = X[:length, n:n + 1] → alone = X[:length, n:n + 2]": "what the other sequence gives is not looked at",
        "H[:length, n, :units] = right[:, 0] → H[:length, n, :units] = right[:, -1]": "with one sequence the first is the last",
        "H[:length, n, units:] = left[::-1, 0] → H[:length, n, units:] = left[::-1, -1]": "with one sequence the first is the last",
    },
    "attention": {
        "scores = (keys * query).sum(axis=-1) / np.sqrt(query.shape[-1]) → scores = (keys * query).sum(axis=-1) / np.sqrt(query.shape[1])":
            "the last axis of two is axis 1",
        "scores = (keys * query).sum(axis=-1) / np.sqrt(query.shape[-1]) → scores = (keys * query).sum(axis=-1) / np.sqrt(keys.shape[-1])":
            "query and keys have the same D",
        "real = np.arange(len(keys))[:, None] < lengths → real = np.arange(len(values))[:, None] < lengths":
            "there are as many values as keys",
    },
    "bleu": {
        "if len(candidate) < n: → if False:": "a candidate shorter than n has no n-gram, so none is in common and the score is 0 all the same",
        "if len(candidate) < n: → if len(reference) < n:": "either text shorter than n leaves no n-gram in common, and the score is 0",
        "brevity = min(0, 1 - len(reference) / len(candidate)) → brevity = min(1 - len(reference) / len(candidate), 0)":
            "the smaller of two numbers does not depend on their order",
    },
    "minimal_scan": {
        "for t in range(len(a)): → for t in range(len(b)):": "a and b have the same number of steps",
    },
    "macro_f1": {
        "hits = sum((a == b == name for a, b in zip(labels, predictions))) → hits = sum((a == b == name for a, b in zip(predictions, labels)))":
            "a hit is a hit from either side",
    },
}  # fmt: skip
