"""From text to ids, and from ids to batches."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

UNKNOWN = "<unk>"


def tokenize(text: str) -> list[str]:
    """Split text into lower-case letters and single spaces.

    Every run of characters other than a-z becomes one space; none is kept at either end.
    Toy English has an alphabet of its own: use `list(text)` there.
    """
    return list(re.sub("[^a-z]+", " ", text.lower()).strip())


def words(text: str) -> list[str]:
    """Split text into lower-case words of the letters a-z."""
    return re.findall("[a-z]+", text.lower())


class Vocabulary:
    """Tokens numbered from 0: `<unk>` first, then by falling frequency, ties in alphabetical order.

    Attributes: `tokens`, the list of tokens by id. `len(vocabulary)` is V.
    """

    def __init__(self, tokens: Iterable[str], min_count: int = 1):
        if min_count < 1:
            raise ValueError(f"min_count must be 1 or more, received {min_count}.")
        counts = Counter(tokens)
        counts.pop(UNKNOWN, None)
        if not counts:
            raise ValueError("A vocabulary needs at least one token; received none: is the text empty?")
        kept = [token for token, count in counts.items() if count >= min_count]
        self.tokens = [UNKNOWN] + sorted(kept, key=lambda token: (-counts[token], token))
        self._ids = {token: i for i, token in enumerate(self.tokens)}

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: str) -> bool:
        return token in self._ids

    def id(self, token: str) -> int:
        """The id of one token; 0, the id of `<unk>`, for a token that is not known."""
        return self._ids.get(token, 0)

    def encode(self, tokens: Iterable[str]) -> np.ndarray:
        """Ids of tokens (a list of tokens, or a string of one-character tokens): `(len(tokens),)` int64."""
        return np.fromiter((self._ids.get(token, 0) for token in tokens), dtype=np.int64)

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Tokens of ids. Raises ValueError for an id outside 0..V-1."""
        ids = [int(i) for i in ids]
        for i in ids:
            if not 0 <= i < len(self):
                raise ValueError(f"Ids of this vocabulary run from 0 to {len(self) - 1}; received {i}.")
        return [self.tokens[i] for i in ids]


def one_hot(ids: np.ndarray, V: int) -> np.ndarray:
    """Turn ids of any shape `(...)` into one-hot rows `(..., V)`, float64."""
    ids = np.asarray(ids)
    if ids.size and not np.issubdtype(ids.dtype, np.integer):
        raise ValueError(f"Ids must be integers; received {ids.dtype}: encode the tokens first.")
    if ids.size and not (0 <= ids.min() and ids.max() < V):
        raise ValueError(f"Ids must lie in 0..{V - 1} for V={V}; received {ids.min()}..{ids.max()}.")
    rows = np.zeros((*ids.shape, V))
    np.put_along_axis(rows, ids[..., None], 1.0, axis=-1)
    return rows


def _check_batch_request(ids: np.ndarray, N: int, T: int, needed: int) -> None:
    if ids.ndim != 1:
        raise ValueError(f"Batches are cut from one text, ids of shape (n,); received shape {ids.shape}.")
    if N < 1 or T < 1:
        raise ValueError(f"A batch needs N >= 1 sequences of T >= 1 steps; received N={N}, T={T}.")
    if len(ids) < needed:
        raise ValueError(
            f"A batch of N={N} sequences of T={T} steps needs at least {needed} tokens here; "
            f"received {len(ids)}: use a smaller batch or a longer text."
        )


def sequential_batches(
    ids: Sequence[int] | np.ndarray, N: int, T: int, offset: int = 0
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Cut a text into N parallel strips; each batch continues where the last one stopped.

    ids: `(n,)`. Returns `(X, Y)` pairs, each `(T, N)`; `Y` is `X` one token further on. With
    L = (n - offset - 1) // N tokens a strip there are L // T batches; what remains is left out.
    Raises ValueError if that is not even one batch.
    """
    ids = np.asarray(ids)
    if offset < 0:
        raise ValueError(f"offset must be 0 or more, received {offset}.")
    _check_batch_request(ids, N, T, needed=offset + N * T + 1)
    L = (len(ids) - offset - 1) // N
    inputs = ids[offset : offset + N * L].reshape(N, L).T        # (L, N)
    targets = ids[offset + 1 : offset + 1 + N * L].reshape(N, L).T  # (L, N)
    return [(inputs[t : t + T], targets[t : t + T]) for t in range(0, L - T + 1, T)]


def random_batches(
    ids: Sequence[int] | np.ndarray, N: int, T: int, rng: np.random.Generator | int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Cut a text into windows at a random offset and hand them out in random order, N at a time.

    ids: `(n,)`. Yields `(X, Y)` pairs, each `(T, N)`. Neighbouring columns and successive batches
    are unrelated, so a state may not be carried from one batch to the next.
    """
    ids = np.asarray(ids)
    _check_batch_request(ids, N, T, needed=N * T + 1)
    rng = np.random.default_rng(rng)
    # A later offset shifts the windows, as far as at least one batch still fits.
    offset = int(rng.integers(0, min(T - 1, len(ids) - 1 - N * T) + 1))
    windows = (len(ids) - 1 - offset) // T
    starts = offset + T * rng.permutation(windows)
    steps = np.arange(T)[:, None]
    return (
        (ids[steps + starts[i : i + N]], ids[steps + starts[i : i + N] + 1])
        for i in range(0, windows - N + 1, N)
    )
