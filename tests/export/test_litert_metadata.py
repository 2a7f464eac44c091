import io
import struct
import zipfile

import numpy as np
import pytest
import tensorflow as tf

from keras_transformer.export import litert_model, with_metadata
from keras_transformer.export.litert_metadata import Description, associated_files
from tests.litert import interpreter

DESCRIPTION = Description("encoder", "what it is", ["vectors"], "tokens.model", 7)
FILES = {"tokens.model": bytes(range(256)) * 9, "settings.json": b"{}"}
NAMES = "ids", "segment_ids", "mask"


def model_of(names):
    signature = [tf.TensorSpec([1, None], tf.int32, name=name) for name in names]
    table = np.arange(40, dtype="float32").reshape(10, 4)
    function = tf.function(
        lambda *inputs: {"vectors": tf.reduce_sum(tf.gather(table, inputs[0]), axis=1)}, input_signature=signature
    )
    return litert_model(function.get_concrete_function())


@pytest.fixture(scope="module")
def plain():
    return model_of(NAMES)


@pytest.fixture(scope="module")
def written(plain):
    return with_metadata(plain, DESCRIPTION, FILES)


class Table:
    """A table of a flatbuffer, read by the format's own description."""

    def __init__(self, data, place):
        self.data, self.place = data, place

    @classmethod
    def root(cls, data):
        return cls(data, struct.unpack_from("<I", data)[0])

    def field(self, slot):
        """The place of a field's value, or `None`."""
        table = self.place - struct.unpack_from("<i", self.data, self.place)[0]
        size = struct.unpack_from("<H", self.data, table)[0]
        offset = struct.unpack_from("<H", self.data, table + 4 + 2 * slot)[0] if 4 + 2 * slot < size else 0
        return self.place + offset if offset else None

    def target(self, slot):
        place = self.field(slot)
        return place + struct.unpack_from("<I", self.data, place)[0]

    def text(self, slot):
        place = self.target(slot)
        return self.data[place + 4 : place + 4 + struct.unpack_from("<I", self.data, place)[0]].decode()

    def number(self, slot):
        return self.data[self.field(slot)]

    def table(self, slot):
        return Table(self.data, self.target(slot))

    def tables(self, slot):
        place = self.target(slot)
        places = range(place + 4, place + 4 + 4 * struct.unpack_from("<I", self.data, place)[0], 4)
        return [Table(self.data, at + struct.unpack_from("<I", self.data, at)[0]) for at in places]


def metadata_of(model):
    root = Table.root(model)
    (entry,) = [entry for entry in root.tables(6) if entry.text(0) == "TFLITE_METADATA"]
    buffer = root.tables(4)[struct.unpack_from("<I", model, entry.field(1))[0]]
    place = buffer.target(0)
    return model[place + 4 : place + 4 + struct.unpack_from("<I", model, place)[0]]


def test_metadata_names_tensors_and_tokenizer(written):
    data = metadata_of(written)
    assert data[4:8] == b"M001"
    metadata = Table.root(data)
    assert (metadata.text(0), metadata.text(1)) == ("encoder", "what it is")
    (graph,) = metadata.tables(3)
    assert [tensor.text(0) for tensor in graph.tables(2)] == list(NAMES)
    assert [tensor.text(0) for tensor in graph.tables(3)] == ["vectors"]
    (unit,) = graph.tables(5)
    assert unit.number(0) == 5  # the schema's ProcessUnitOptions.SentencePieceTokenizerOptions
    (file,) = unit.table(1).tables(0)
    assert file.text(0) == "tokens.model" and file.number(2) == 5  # AssociatedFileType.VOCABULARY


def test_the_model_computes_as_before(plain, written):
    assert [detail["shape"].tolist() for detail in interpreter(written).get_input_details()] == [[1, 7]] * 3
    for model in (plain, written):
        runner = interpreter(model).get_signature_runner()
        ids = np.array([[2, 5, 5]], np.int32)
        assert runner(ids=ids, segment_ids=ids, mask=ids)["vectors"].tolist() == [[48, 51, 54, 57]]


def test_constants_are_aligned(written):
    for buffer in Table.root(written).tables(4):
        if buffer.field(0):
            assert (buffer.target(0) + 4) % 16 == 0


def test_files_are_read_in_place(written, tmp_path):
    assert FILES["tokens.model"] in written
    with zipfile.ZipFile(io.BytesIO(written)) as archive:
        assert archive.testzip() is None
    path = tmp_path / "encoder.tflite"
    path.write_bytes(written)
    assert associated_files(path) == FILES


@pytest.mark.parametrize("place", [200, -300], ids=["model", "files"])
def test_damage_is_found(place, written, tmp_path):
    path = tmp_path / "encoder.tflite"
    damaged = bytearray(written)
    damaged[place] ^= 0x10
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match=r"Expected a whole model of LiteRT.*encoder.tflite"):
        associated_files(path)
    path.write_bytes(written[:-30])
    with pytest.raises(ValueError, match=r"Expected a whole model of LiteRT with files in it.*encoder.tflite"):
        associated_files(path)


def test_equal_arguments_give_equal_bytes(plain, written):
    assert with_metadata(plain, DESCRIPTION, FILES) == written


def test_what_is_no_such_model_is_refused(plain, tmp_path):
    with pytest.raises(ValueError, match="Expected a model of LiteRT. Received: b'nothing'"):
        with_metadata(b"nothing", DESCRIPTION, FILES)
    with pytest.raises(ValueError, match=r"Expected a model with the inputs .*Received: \['x'"):
        with_metadata(model_of(["x"]), DESCRIPTION, FILES)
    path = tmp_path / "encoder.tflite"
    path.write_bytes(plain)
    with pytest.raises(
        ValueError, match="Expected a whole model of LiteRT with files in it. Received: .*encoder.tflite"
    ):
        associated_files(path)
    path.write_bytes(b"nothing at all")
    with pytest.raises(ValueError, match="Expected a model of LiteRT. Received .*encoder.tflite: it is something else"):
        associated_files(path)
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(ValueError, match="it is a Git LFS pointer"):
        associated_files(path)
