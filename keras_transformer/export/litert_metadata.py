"""What MediaPipe reads in a model of LiteRT: metadata, and files that are appended to the model as a zip archive."""

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import flatbuffers

from keras_transformer import lfs
from keras_transformer.types import PathLike

METADATA = "TFLITE_METADATA"  # the name that readers look for
_CHECKSUM_FILE = "model.crc32"  # runtimes read a damaged model as if it were whole, and crash
_ALIGNMENT = 16  # bytes, of constants: the runtime reads them where they are
_SENTENCEPIECE_OPTIONS = 5  # place in the union of a process unit's options
_VOCABULARY = 5  # kind of an associated file


class Description(NamedTuple):
    """What the metadata says.

    Attributes:
        name: of the model.
        description: of the model.
        outputs: the names of the output tensors, in the model's order.
        tokenizer_file: the name of the file with a SentencePiece model.
        length: how many ids MediaPipe is to give.
    """

    name: str
    description: str
    outputs: Sequence[str]
    tokenizer_file: str
    length: int


def with_metadata(model: bytes, description: Description, files: Mapping[str, bytes]) -> bytes:
    """A model of LiteRT with MediaPipe's metadata and files.

    Equal arguments give equal bytes.

    Args:
        model: whose inputs have the names that MediaPipe looks for: "ids", "segment_ids" and "mask", int32 (1, any).
            The written one says that they are (1, length): were they resized for each text, XNNPACK would now and then
            give wrong values. Another reader may still resize them once.
        description: what the metadata says.
        files: {name: content}; they are not compressed, so that they can be read in place.

    Raises:
        ValueError: if `model` is none, or lacks one of these inputs.

    References:
        metadata_schema.fbs of TensorFlow Lite, "Adding metadata to TensorFlow Lite models".
    """
    from tensorflow.lite.python import schema_py_generated as schema

    if model[4:8] != b"TFL3":
        raise ValueError(f"Expected a model of LiteRT. Received: {model[:8]!r}...")
    parsed = schema.ModelT.InitFromPackedBuf(model, 0)
    graph = parsed.subgraphs[0]
    inputs = [_input_name(graph.tensors[place].name.decode()) for place in graph.inputs]
    if sorted(inputs) != ["ids", "mask", "segment_ids"]:
        raise ValueError(f"Expected a model with the inputs ids, segment_ids and mask. Received: {inputs}")
    for place in graph.inputs:
        graph.tensors[place].shape, graph.tensors[place].shapeSignature = [1, description.length], None
    entry = schema.MetadataT()
    entry.name, entry.buffer = METADATA, len(parsed.buffers)
    buffer = schema.BufferT()
    buffer.data = _metadata(description, inputs)
    parsed.buffers = [_Aligned(data.data) for data in [*parsed.buffers, buffer]]
    parsed.metadata = [*(parsed.metadata or ()), entry]
    builder = flatbuffers.Builder(len(model) + 1024)
    builder.Finish(parsed.Pack(builder), b"TFL3")
    return with_files(bytes(builder.Output()), files)


def with_files(model: bytes, files: Mapping[str, bytes]) -> bytes:
    """A model of LiteRT with files: {name: content}, not compressed, so that they can be read in place."""
    return model + _archive({**files, _CHECKSUM_FILE: b"%08x" % zlib.crc32(model)}, len(model))


def associated_files(path: PathLike) -> dict[str, bytes]:
    """The files that `with_files` or `with_metadata` put into a model of LiteRT.

    Raises:
        FileNotFoundError: if there is no file at `path`.
        ValueError: if it is no model, has no files, or is damaged.
    """
    with open(path, "rb") as file:
        data = file.read()
    if data[4:8] != b"TFL3":
        fault = lfs.POINTER if lfs.is_pointer(path) else "something else"
        raise ValueError(f"Expected a model of LiteRT. Received {path}: it is {fault}")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
            start = min((entry.header_offset for entry in archive.infolist()), default=0)
    except zipfile.BadZipFile as error:
        raise ValueError(f"Expected a whole model of LiteRT with files in it. Received: {path} ({error})") from error
    checksum = files.pop(_CHECKSUM_FILE, None)
    if checksum is not None and int(checksum, 16) != zlib.crc32(data[:start]):
        raise ValueError(f"Expected a whole model of LiteRT. Received {path}: it is damaged")
    return files


class _Aligned:
    """A buffer whose data begins at a multiple of 16 bytes, as the schema wants it; its Python code does not do it."""

    def __init__(self, data: Any) -> None:
        self.data = None if data is None else bytes(data)

    def Pack(self, builder: flatbuffers.Builder) -> int:
        data = None
        if self.data:
            builder.StartVector(1, len(self.data), _ALIGNMENT)
            start = builder.Head() - len(self.data)
            builder.head = start
            builder.Bytes[start : start + len(self.data)] = self.data
            data = builder.EndVector()
        builder.StartObject(3)
        if data is not None:
            builder.PrependUOffsetTRelativeSlot(0, data, 0)
        return builder.EndObject()


def _input_name(tensor):
    """The signature's name of an input tensor, as "serving_default_ids:0"."""
    return tensor.removeprefix("serving_default_").split(":")[0]


def _metadata(description, inputs):
    """The serialized metadata."""
    builder = flatbuffers.Builder(1024)
    file = _table(builder, [("ref", builder.CreateString(description.tokenizer_file)), None, ("byte", _VOCABULARY)])
    options = _table(builder, [("ref", _vector(builder, [file]))])
    unit = _table(builder, [("byte", _SENTENCEPIECE_OPTIONS), ("ref", options)])
    tensors = [
        _vector(builder, [_table(builder, [("ref", builder.CreateString(name))]) for name in names])
        for names in (inputs, description.outputs)
    ]
    units = _vector(builder, [unit])
    graph = _table(builder, [None, None, *(("ref", vector) for vector in tensors), None, ("ref", units)])
    texts = [("ref", builder.CreateString(text)) for text in (description.name, description.description)]
    model = _table(builder, [*texts, None, ("ref", _vector(builder, [graph]))])
    builder.Finish(model, b"M001")
    return bytes(builder.Output())


def _table(builder, fields):
    """A table of fields in the schema's order: ("ref", offset), ("byte", number), or `None`."""
    builder.StartObject(len(fields))
    for slot, field in enumerate(fields):
        if field is None:
            continue
        kind, value = field
        if kind == "ref":
            builder.PrependUOffsetTRelativeSlot(slot, value, 0)
        else:
            builder.PrependUint8Slot(slot, value, 0)
    return builder.EndObject()


def _vector(builder, offsets):
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()


def _archive(files, start):
    """A zip archive of files, not compressed, that is to be appended to `start` bytes."""
    target = io.BytesIO()
    target.write(bytes(start))  # places in the archive count from the beginning of all
    with zipfile.ZipFile(target, "a", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
    return target.getvalue()[start:]
