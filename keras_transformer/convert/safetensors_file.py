"""Reads safetensors files with NumPy alone."""

import json
import math
import os

import ml_dtypes
import numpy as np

from keras_transformer.convert.files import check_no_pointer, reading
from keras_transformer.types import PathLike

_DTYPES = {
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "BF16": ml_dtypes.bfloat16,
    "I64": np.int64,
    "I32": np.int32,
    "I16": np.int16,
    "I8": np.int8,
    "U8": np.uint8,
    "BOOL": np.bool_,
}
_LONGEST_HEADER = 100_000_000


def read_safetensors(path: PathLike) -> dict[str, np.ndarray]:
    """The tensors in a safetensors file. They are mapped into memory: nothing is read until it is used.

    Args:
        path: the file.

    Returns:
        {name: read-only array}.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is truncated, damaged, a Git LFS pointer, or of another format.

    References:
        The format: 8 bytes with the length of the header; the header in JSON ({name: {"dtype", "shape",
        "data_offsets"}}); the tensors without gaps. https://github.com/huggingface/safetensors
    """
    path = os.fspath(path)
    check_no_pointer(path)
    with reading(path):
        return _tensors(path)


def _tensors(path):
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        start = file.read(8)
        length = int.from_bytes(start, "little")
        if len(start) < 8 or not 2 <= length <= _LONGEST_HEADER or (length + 8 <= size and file.read(1) != b"{"):
            raise ValueError(f"Expected a safetensors file. Received: {path}, which is none")
        if length + 8 > size:
            raise ValueError(_truncated(path, length + 8, size))
        file.seek(8)
        try:
            header = json.loads(file.read(length))
            entries = {name: _entry(**entry) for name, entry in header.items() if name != "__metadata__"}
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ValueError(
                f"Expected a safetensors file. Received: {path}, whose header is damaged ({error})"
            ) from None
    first = length + 8
    end = 0
    for name, (dtype, shape, begin, stop) in sorted(entries.items(), key=lambda item: item[1][2:]):
        if begin != end or stop - begin != math.prod(shape) * np.dtype(dtype).itemsize:
            raise ValueError(
                f"Expected tensors without gaps in {path}. Received: {name} of shape {shape} in bytes {begin} to {stop}"
            )
        end = stop
    if first + end != size:
        raise ValueError(_truncated(path, first + end, size))
    if not end:
        return {name: np.zeros(shape, dtype) for name, (dtype, shape, _, _) in entries.items()}
    data = np.memmap(path, np.uint8, "r", offset=first)
    return {
        name: np.asarray(data[begin:stop]).view(dtype).reshape(shape)
        for name, (dtype, shape, begin, stop) in entries.items()
    }


def _entry(dtype, shape, data_offsets):
    begin, stop = data_offsets
    if not all(isinstance(number, int) and number >= 0 for number in (*shape, begin, stop)):
        raise ValueError("numbers below 0")
    return _DTYPES[dtype], tuple(shape), begin, stop


def _truncated(path, expected, received):
    return f"Expected a safetensors file of {expected:,} bytes. Received: {path} of {received:,}"
