"""Pages without a kernel: their code is run all the same, and prints what stands below it."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

COURSE = Path(__file__).resolve().parents[2]
PAGES = [path for path in sorted((COURSE / "book" / "sequences").glob("*.md")) if not path.name.endswith(".nb.md")]
FENCE = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_the_code_of_a_page_prints_what_stands_below_it(path):
    blocks = FENCE.findall(path.read_text(encoding="utf-8"))
    namespace: dict = {}
    compared = 0
    for (kind, source), (next_kind, shown) in zip(blocks, [*blocks[1:], ("", "")]):
        if kind == "python":
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(source, path.name, "exec"), namespace)
            if next_kind == "text":
                assert printed.getvalue() == shown, source
                compared += 1
    assert compared >= 4
