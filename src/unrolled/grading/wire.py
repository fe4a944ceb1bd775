"""What crosses the boundary between the referee and the sandbox: framed messages of plain values, never pickles.

Used on both sides; inside the sandbox it is a lone file, so it needs NumPy and Python's own library only. A value keeps
what a report must tell apart: array, NumPy scalar, Python number, string, list, tuple, dict. Whatever else comes is
carried by the name of its type alone (`foreign`).
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

MAX_BYTES = 16 * 2**20  # of one message: the longest text that a task gives takes 10 MB
MAX_ITEMS = 200_000     # in all lists, tuples and dicts of one message
MAX_FOREIGN = 1000      # objects that don't cross, each with a type of its own
MAX_CLASHES = 100       # keys of one dict that share their hash with another: more of them are made to, and cost minutes
MAX_DEPTH = 16
MAX_INT_BYTES = 64      # 512 bits: more than any honest count, and still a finite float
MAX_TYPE_NAME = 60
MAX_AXIS = 2**40

DTYPES = frozenset(
    np.dtype(order + kind).str
    for order in "<>"
    for kind in ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16")
)


class WireError(ValueError):
    """A value can't be sent, or what came is no message."""


class Foreign:
    """Stands for an object that does not cross; `type(value).__name__` is the name of its type."""


def foreign(name: str) -> Foreign:
    """A stand-in whose type bears this name."""
    shown = "".join(c if c.isprintable() else "?" for c in name[:MAX_TYPE_NAME]) or "?"
    return type(shown, (Foreign,), {})()


# --- Writing -----------------------------------------------------------------------------------


class _Writer:
    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = self.items = self.foreign = 0

    def put(self, data: bytes) -> None:
        self.size += len(data)
        if self.size > MAX_BYTES:
            raise WireError(f"the value is larger than {MAX_BYTES // 2**20} MiB")
        self.parts.append(data)

    def count(self, container: Any) -> int:
        self.items += len(container)
        if self.items > MAX_ITEMS:
            raise WireError(f"the value has more than {MAX_ITEMS:,} parts")
        return len(container)

    def name(self, name: str) -> None:
        self.foreign += 1
        if self.foreign > MAX_FOREIGN:
            raise WireError(f"the value holds more than {MAX_FOREIGN:,} objects that are no numbers, texts or arrays")
        data = name[:MAX_TYPE_NAME].encode("utf-8", "replace")
        self.put(b"o" + struct.pack("<H", len(data)) + data)

    def integer(self, value: int) -> None:
        length = value.bit_length() // 8 + 1
        if length > MAX_INT_BYTES:
            self.name("int with too many digits")
        else:
            self.put(b"i" + bytes([length]) + value.to_bytes(length, "little", signed=True))

    def array(self, value: np.ndarray) -> None:
        dtype = value.dtype.str
        if dtype not in DTYPES:
            self.name(f"array of dtype {value.dtype}")
            return
        if value.nbytes > MAX_BYTES:  # asked before any copy is made: a broadcast array is huge and owns nothing
            raise WireError(f"an array of shape {value.shape} is larger than {MAX_BYTES // 2**20} MiB")
        self.put(b"a" + bytes([len(dtype)]) + dtype.encode() + bytes([value.ndim]) + struct.pack(f"<{value.ndim}Q", *value.shape))
        self.put(np.ascontiguousarray(value).tobytes())

    def scalar(self, value: np.generic) -> None:
        dtype = value.dtype.str
        if dtype not in DTYPES:
            self.name(type(value).__name__)
        else:
            self.put(b"g" + bytes([len(dtype)]) + dtype.encode() + value.tobytes())

    def text(self, value: str) -> None:
        data = value.encode("utf-8", "replace")
        self.put(b"s" + struct.pack("<I", len(data)) + data)

    def value(self, value: Any, depth: int = 0) -> None:
        if depth > MAX_DEPTH:
            raise WireError(f"the value is nested more than {MAX_DEPTH} deep")
        if value is None:
            self.put(b"N")
        elif isinstance(value, bool):
            self.put(b"T" if value else b"F")
        elif isinstance(value, np.ndarray):
            self.array(np.asarray(value))
        elif isinstance(value, str):  # before NumPy's scalars: np.str_ is both
            self.text(str(value))
        elif isinstance(value, np.generic):
            self.scalar(value)
        elif isinstance(value, int):
            self.integer(int(value))
        elif isinstance(value, float):
            self.put(b"f" + struct.pack("<d", value))
        elif isinstance(value, complex):
            self.put(b"c" + struct.pack("<dd", value.real, value.imag))
        elif isinstance(value, (list, tuple)):
            self.put((b"l" if isinstance(value, list) else b"t") + struct.pack("<I", self.count(value)))
            for item in value:
                self.value(item, depth + 1)
        elif isinstance(value, dict):
            self.mapping(value, depth)
        else:
            self.name(type(value).__name__)

    def mapping(self, value: dict, depth: int) -> None:
        strange = next((key for key in value if not is_key(key)), None)
        if strange is not None:
            self.name(f"dict with keys of type {type(strange).__name__}")
            return
        self.put(b"d" + struct.pack("<I", self.count(value)))
        for key, item in value.items():
            self.value(key, depth + 1)
            self.value(item, depth + 1)


def is_key(key: Any, depth: int = 0) -> bool:
    """Whether a dict's key crosses: strings, numbers, None and tuples of them."""
    if isinstance(key, tuple):
        return depth < 4 and all(is_key(part, depth + 1) for part in key)
    if isinstance(key, np.generic):
        return key.dtype.kind in "biuf" or isinstance(key, str)
    return key is None or isinstance(key, (str, int, float))


def encode(value: Any) -> bytes:
    """The bytes of a value. Raises WireError when it is too large or too deep."""
    writer = _Writer()
    writer.value(value)
    return b"".join(writer.parts)


# --- Reading -----------------------------------------------------------------------------------


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = memoryview(data)
        self.at = self.items = self.foreign = 0

    def take(self, length: int) -> memoryview:
        if length > len(self.data) - self.at:
            raise WireError("the message ends too early")
        self.at += length
        return self.data[self.at - length : self.at]

    def unpack(self, layout: str) -> tuple:
        return struct.unpack(layout, self.take(struct.calcsize(layout)))

    def dtype(self) -> np.dtype:
        name = bytes(self.take(self.take(1)[0])).decode("ascii", "replace")
        if name not in DTYPES:
            raise WireError("an array of a dtype that does not cross")
        return np.dtype(name)

    def array(self) -> np.ndarray:
        dtype = self.dtype()
        shape = self.unpack(f"<{self.take(1)[0]}Q")
        if len(shape) > 32 or any(axis > MAX_AXIS for axis in shape):
            raise WireError("an array of an impossible shape")
        size = dtype.itemsize
        for axis in shape:
            size *= axis
        try:
            return np.frombuffer(self.take(size), dtype=dtype).reshape(shape).copy()
        except ValueError as error:
            raise WireError("an array of an impossible shape") from error

    def scalar(self) -> np.generic:
        dtype = self.dtype()
        return np.frombuffer(self.take(dtype.itemsize), dtype=dtype)[0]

    def text(self, layout: str) -> str:
        (length,) = self.unpack(layout)
        try:
            return bytes(self.take(length)).decode("utf-8")
        except UnicodeDecodeError as error:
            raise WireError("a string that is not UTF-8") from error

    def length(self) -> int:
        (count,) = self.unpack("<I")
        self.items += count
        if self.items > MAX_ITEMS:
            raise WireError(f"more than {MAX_ITEMS:,} parts")
        return count

    def integer(self) -> int:
        length = self.take(1)[0]
        if not 0 < length <= MAX_INT_BYTES:
            raise WireError("a whole number of an impossible length")
        return int.from_bytes(self.take(length), "little", signed=True)

    def name(self) -> Foreign:
        self.foreign += 1
        if self.foreign > MAX_FOREIGN:
            raise WireError(f"more than {MAX_FOREIGN:,} objects that do not cross")
        return foreign(self.text("<H"))

    def mapping(self, depth: int) -> dict:
        found, hashes, count = {}, set(), self.length()
        for place in range(count):
            key = self.value(depth + 1)
            if not is_key(key):
                raise WireError("a dict with a key that does not cross")
            hashes.add(hash(key))
            if place + 1 - len(hashes) > MAX_CLASHES:
                raise WireError("a dict whose keys are made to clash")
            found[key] = self.value(depth + 1)
        return found

    def value(self, depth: int = 0) -> Any:
        if depth > MAX_DEPTH:
            raise WireError(f"nested more than {MAX_DEPTH} deep")
        tag = bytes(self.take(1))
        if tag == b"a":
            return self.array()
        if tag == b"g":
            return self.scalar()
        if tag == b"i":
            return self.integer()
        if tag == b"f":
            return self.unpack("<d")[0]
        if tag == b"c":
            return complex(*self.unpack("<dd"))
        if tag == b"s":
            return self.text("<I")
        if tag == b"o":
            return self.name()
        if tag == b"l":
            return [self.value(depth + 1) for _ in range(self.length())]
        if tag == b"t":
            return tuple(self.value(depth + 1) for _ in range(self.length()))
        if tag == b"d":
            return self.mapping(depth)
        if tag in (b"N", b"T", b"F"):
            return {b"N": None, b"T": True, b"F": False}[tag]
        raise WireError("an unknown kind of value")


def decode(data: bytes) -> Any:
    """The value that these bytes stand for: fresh arrays that share no memory with them. Raises WireError for anything else."""
    if len(data) > MAX_BYTES:
        raise WireError(f"more than {MAX_BYTES // 2**20} MiB")
    reader = _Reader(data)
    value = reader.value()
    if reader.at != len(data):
        raise WireError("the message goes on after its end")
    return value


# --- Frames ------------------------------------------------------------------------------------

HEADER = struct.Struct("<4sI")
MAGIC = b"unr1"


def frame(payload: bytes) -> bytes:
    """A message with its length before it."""
    return HEADER.pack(MAGIC, len(payload)) + payload


def payload_length(header: bytes) -> int:
    """The length that a header announces. Raises WireError for what is no header or announces too much."""
    magic, length = HEADER.unpack(header)
    if magic != MAGIC:
        raise WireError("what came is no message")
    if length > MAX_BYTES:
        raise WireError(f"a message of more than {MAX_BYTES // 2**20} MiB")
    return length
