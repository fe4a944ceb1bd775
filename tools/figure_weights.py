"""Writes book/_static/lstm-weights.js, the network behind the figure of the LSTM's gates: `python tools/figure_weights.py`.

The network is the one that the page on the LSTM trains: this runs the cells of that page, from the top to the one that finds the
unit which carries number, and stores the weights as whole numbers of 8 bits with one scale for each array. What that costs is
printed: the held-out loss before and after.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import torch

from unrolled import torch_models

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "book" / "gates" / "lstm.ipynb"
TARGET = ROOT / "book" / "_static" / "lstm-weights.js"
SENTENCE = "the man is old. some dogs near this box of a girl "


def run_page() -> dict[str, Any]:
    """The names that the page's cells define, up to the unit that carries number."""
    os.environ["MPLBACKEND"] = "agg"
    names: dict[str, Any] = {"__name__": "page"}
    for cell in nbformat.read(PAGE, as_version=4).cells:
        if cell.cell_type == "code":
            with contextlib.redirect_stdout(io.StringIO()):  # the page's own tables
                exec(compile(cell.source, "page", "exec"), names)
            if "carrier" in names:
                return names
    raise SystemExit(f"{PAGE.name} no longer defines `carrier`, the unit that carries number: adapt this tool to the page.")


def arrays_of(model: torch_models.TorchLanguageModel) -> dict[str, np.ndarray]:
    """The weights in the course's layout; biases as matrices of one row."""
    W_x, W_h, b_x, b_h, W_hq, b_q = [parameter.detach().numpy() for parameter in model.parameters()]
    return {"W_x": W_x.T, "W_h": W_h.T, "b": (b_x + b_h)[None], "W_hq": W_hq.T, "b_q": b_q[None]}


def quantised(array: np.ndarray) -> tuple[np.ndarray, float]:
    """Whole numbers from -127 to 127, and what to multiply them with."""
    scale = float(np.abs(array).max()) / 127
    return np.round(array / scale).astype(np.int8), scale


def main() -> None:
    page = run_page()
    model = page["networks"]["LSTM"]
    before = torch_models.held_out_loss(model, page["held_out_ids"])
    packed = {name: quantised(array) for name, array in arrays_of(model).items()}
    restored = {name: whole * scale for name, (whole, scale) in packed.items()}
    with torch.no_grad():
        new = [restored["W_x"].T, restored["W_h"].T, restored["b"][0], 0 * restored["b"][0], restored["W_hq"].T, restored["b_q"][0]]
        for parameter, value in zip(model.parameters(), new, strict=True):
            parameter.copy_(torch.tensor(np.ascontiguousarray(value)))
    after = torch_models.held_out_loss(model, page["held_out_ids"])
    stored = {
        "alphabet": ["" if len(token) > 1 else token for token in page["vocabulary"].tokens],
        "H": page["SIZE"],
        "unit": int(page["carrier"]),
        "sentence": SENTENCE,
        "arrays": {
            name: {"shape": whole.shape, "scale": scale, "data": base64.b64encode(whole.tobytes()).decode()}
            for name, (whole, scale) in packed.items()
        },
    }
    beside = TARGET.with_suffix(".part")
    beside.write_text(
        "// Written by tools/figure_weights.py: the network that the page on the LSTM trains, as whole numbers of 8 bits.\n"
        f"window.unrolledWeights = {json.dumps(stored)};\n",
        encoding="utf-8",
    )
    beside.replace(TARGET)
    print(f"{TARGET.relative_to(ROOT)}: {TARGET.stat().st_size / 1000:.0f} kB, unit {stored['unit']}")
    print(f"held-out loss {before:.4f} nats a character, {after:.4f} with 8 bits")


if __name__ == "__main__":
    sys.exit(main())
