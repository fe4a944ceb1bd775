"""What crosses the boundary comes back as it was, and nothing that is sent can harm the reader."""

from __future__ import annotations

import pickle
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from unrolled.checks import compare
from unrolled.grading import wire

NUMBERS = st.one_of(st.integers(-(2**500), 2**500), st.floats(), st.complex_numbers())
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
DTYPES = st.one_of(
    hnp.boolean_dtypes(), hnp.integer_dtypes(endianness="?"), hnp.unsigned_integer_dtypes(endianness="?"),
    hnp.floating_dtypes(endianness="?", sizes=(16, 32, 64)), hnp.complex_number_dtypes(endianness="?", sizes=(64, 128)),
)  # fmt: skip
ARRAYS = hnp.arrays(DTYPES, hnp.array_shapes(min_dims=0, min_side=0, max_side=4))
KEYS = st.recursive(st.one_of(TEXTS, st.integers(-9, 9)), lambda inner: st.tuples(inner, inner), max_leaves=3)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS, ARRAYS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.lists(inner, max_size=4).map(tuple), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)


def same(a, b) -> bool:
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype.str == b.dtype.str and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and repr(a) == repr(b)


@given(VALUES)
def test_value_comes_back_with_its_types(value):
    assert same(value, wire.decode(wire.encode(value)))


@given(ARRAYS.filter(lambda array: array.size))
def test_numpy_scalar_comes_back_as_one(array):
    scalar = array.ravel()[0]
    back = wire.decode(wire.encode(scalar))
    assert type(back) is type(scalar) and back.tobytes() == scalar.astype(back.dtype).tobytes()


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_a_value_or_an_error_of_the_wire(data):
    try:
        wire.decode(data)
    except wire.WireError:
        pass


@given(VALUES, st.data())
def test_cut_or_changed_message_is_a_value_or_an_error_of_the_wire(value, data):
    message = bytearray(wire.encode(value))
    place = data.draw(st.integers(0, len(message) - 1))
    message[place] = data.draw(st.integers(0, 255))
    for sent in (bytes(message), bytes(message[:place])):
        try:
            wire.decode(sent)
        except wire.WireError:
            pass


@pytest.mark.parametrize("array", [
    np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.arange(10.0)[::-2], np.broadcast_to(1.5, (2, 3)),
    np.ma.masked_array([1.0, 2.0], mask=[True, False]), np.arange(4.0).view(np.recarray), np.arange(3.0)[:, None].T,
])  # fmt: skip
def test_array_of_any_layout_or_subclass_comes_back_as_a_plain_writable_one(array):
    back = wire.decode(wire.encode(array))
    assert type(back) is np.ndarray and back.flags.c_contiguous and back.flags.writeable and back.flags.owndata
    assert np.array_equal(back, np.array(array))


class Liar:
    """Says that it is an array, and equal to everything."""

    shape, dtype, ndim = (2,), np.dtype("f8"), 1
    __eq__ = __array__ = __reduce__ = lambda *_: True
    __hash__ = None


@pytest.mark.parametrize("value, name", [
    (Liar(), "Liar"), ({1, 2}, "set"), (b"abc", "bytes"), (lambda: 1, "function"), (np.array([None]), "array of dtype object"),
    (np.array(["a"]), "array of dtype <U1"), (10**400, "int with too many digits"), ({frozenset(): 1}, "dict with keys of type frozenset"),
])  # fmt: skip
def test_other_object_crosses_as_the_name_of_its_type(value, name):
    back = wire.decode(wire.encode(value))
    assert compare.describe(back) == f"an object of type {name}"


def test_report_can_say_list_where_an_array_was_expected():
    assert compare.describe(wire.decode(wire.encode([1.0, 2.0, 3.0]))) == "a list of 3"


def test_pickle_is_no_message():
    with pytest.raises(wire.WireError):
        wire.decode(pickle.dumps([1, 2, 3]))


@pytest.mark.parametrize("make", [
    lambda: [0] * (wire.MAX_ITEMS + 1), lambda: np.zeros(wire.MAX_BYTES), lambda: "x" * (wire.MAX_BYTES + 1),
    lambda: np.broadcast_to(0.0, (10**6, 10**6)), lambda: _nested(wire.MAX_DEPTH + 2), lambda: [set()] * (wire.MAX_FOREIGN + 1),
], ids=["items", "array", "text", "broadcast", "depth", "foreign"])  # fmt: skip
def test_too_much_is_refused_before_it_is_sent(make):
    with pytest.raises(wire.WireError, match="larger|parts|deep|objects"):
        wire.encode(make())


def _nested(depth: int) -> list:
    value: list = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("message", [
    b"l" + struct.pack("<I", 2**32 - 1), b"a\x03<f8\x01" + struct.pack("<Q", 2**60), b"l\x01\x00\x00\x00" * 100_000 + b"N",
    b"a\x03<f8\x03" + struct.pack("<3Q", 0, 2**40, 2**40), b"a\x03|O8\x00", b"i\xff", b"s" + struct.pack("<I", 2) + b"\xff\xfe",
    b"d\x01\x00\x00\x00l\x00\x00\x00\x00N", b"NN", b"",
], ids=["length", "size", "depth", "zero-size", "object", "int", "utf8", "list-as-key", "two", "nothing"])  # fmt: skip
def test_forged_message_is_refused_without_taking_memory(message):
    with pytest.raises(wire.WireError):
        wire.decode(message)


def test_flood_of_objects_that_do_not_cross_is_refused():
    many = wire.MAX_FOREIGN + 1
    with pytest.raises(wire.WireError, match="do not cross"):
        wire.decode(b"l" + struct.pack("<I", many) + b"o\x01\x00x" * many)


def test_keys_that_are_made_to_clash_are_refused_before_they_cost_time():
    clashing = {place * (2**61 - 1): 0 for place in range(3 * wire.MAX_CLASHES)}
    with pytest.raises(wire.WireError, match="clash"):
        wire.decode(wire.encode(clashing))


def test_large_dict_crosses():
    counts = {(place, place % 7): place for place in range(50_000)}
    assert wire.decode(wire.encode(counts)) == counts


def test_header_must_be_ours_and_announce_no_flood():
    assert wire.payload_length(wire.frame(b"abc")[: wire.HEADER.size]) == 3
    for header in (b"GET / HT", wire.HEADER.pack(wire.MAGIC, wire.MAX_BYTES + 1)):
        with pytest.raises(wire.WireError):
            wire.payload_length(header)
