"""The byte-pair encoding that the chapter on text builds: it gives back any text."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from pathlib import Path

import nbformat
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

PAGE = Path(__file__).resolve().parents[2] / "book" / "sequences" / "text.ipynb"
# Anything that Python calls a string: every plane of Unicode, control characters, halves of surrogate pairs.
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)


@pytest.fixture(scope="module")
def page() -> dict:
    """What the two cells define: train_bpe and the class BPE with what they need."""
    namespace = {"re": re, "np": np, "Counter": Counter, "defaultdict": defaultdict}
    cells = [cell.source for cell in nbformat.read(PAGE, as_version=4).cells if cell.cell_type == "code"]
    chosen = [source for source in cells if re.search(r"^(def train_bpe|class BPE)", source, re.MULTILINE)]
    assert len(chosen) == 2
    for source in chosen:
        exec(source, namespace)
    return namespace


@pytest.fixture(scope="module")
def bpe(page):
    return page["BPE"](page["train_bpe"]("the keys near the cabinet are old. 自回归 自回归 ëë ëë " * 20, merges=60))


@given(string=ANY_TEXT)
def test_any_text_comes_back(bpe, string):
    assert bpe.decode(bpe.encode(string)) == string


@given(string=ANY_TEXT)
def test_no_text_gets_longer_than_its_bytes(bpe, string):
    assert len(bpe.encode(string)) <= len(string.encode("utf-8", "surrogatepass"))


@given(string=ANY_TEXT, merges=st.integers(0, 30))
def test_merges_learned_from_any_text_give_that_text_back(page, string, merges):
    trained = page["BPE"](page["train_bpe"](string, merges))
    assert len(trained.tokens) <= 256 + merges
    assert trained.decode(trained.encode(string)) == string


def test_frequent_words_become_one_token(bpe):
    assert len(bpe.encode(" cabinet")) == 1


def test_nothing_is_merged_that_occurs_once(page):
    assert page["train_bpe"]("abcdefg", 10) == []
