"""The sources that docstrings name."""

from __future__ import annotations

import pytest

from unrolled.site.sources import cite


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("An Elman network [elman1990], forward.", "An Elman network :cite:p:`elman1990`, forward."),
        ("Smoothing [kneser1995, chen1999].", "Smoothing :cite:p:`kneser1995,chen1999`."),
        ("H[t-1], [a, b] and list[int] are no sources.", "H[t-1], [a, b] and list[int] are no sources."),
    ],
)
def test_keys_in_brackets_become_citations(written, shown):
    lines = [written]
    cite(None, "function", "f", None, None, lines)
    assert lines == [shown]
