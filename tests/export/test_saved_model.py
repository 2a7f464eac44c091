import pytest
import tensorflow as tf

from keras_transformer.export import write_saved_model
from tests.disk import small_files


def doubling():
    variable = tf.Variable(2.0)
    function = tf.function(lambda x: x * variable, input_signature=[tf.TensorSpec([None])])
    return variable, function


def test_root_has_the_reusable_interface(tmp_path):
    variable, function = doubling()
    path = tmp_path / "parents" / "are" / "made"
    signature = function.get_concrete_function()
    write_saved_model(path, {"__call__": function}, {"serving_default": signature}, [variable], [variable])
    loaded = tf.saved_model.load(path)
    assert loaded([3.0]).numpy() == [6.0]
    assert [v.numpy() for v in loaded.variables] == [v.numpy() for v in loaded.trainable_variables] == [2.0]
    assert list(loaded.regularization_losses) == []
    loaded.trainable_variables[0].assign(5.0)  # as fine-tuning would
    assert loaded([3.0]).numpy() == [15.0]


def test_without_weights_there_are_no_variables(tmp_path):
    function = tf.function(lambda x: x + 1.0, input_signature=[tf.TensorSpec([None])])
    signature = function.get_concrete_function()
    requests = [("serving_default", {"x": tf.constant([1.0])})]
    write_saved_model(tmp_path / "1", {"__call__": function}, {"serving_default": signature}, warmup_requests=requests)
    loaded = tf.saved_model.load(tmp_path / "1")
    assert loaded([3.0]).numpy() == [4.0] and list(loaded.variables) == list(loaded.trainable_variables) == []
    assert b"VarHandleOp" not in (tmp_path / "1" / "saved_model.pb").read_bytes()
    assert (tmp_path / "1" / "assets.extra" / "tf_serving_warmup_requests").stat().st_size > 0


def test_an_existing_path_is_left_alone(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine").write_text("mine")
    _, function = doubling()
    with pytest.raises(FileExistsError, match="Expected a path that does not exist. Received: .*model"):
        write_saved_model(tmp_path / "model", {"__call__": function}, {})
    assert [p.name for p in (tmp_path / "model").iterdir()] == ["mine"]


def test_a_failure_leaves_nothing_behind(tmp_path):
    _, function = doubling()
    function.get_concrete_function()
    with pytest.raises((AssertionError, KeyError), match="untracked|captures tensor"):
        write_saved_model(tmp_path / "model", {"__call__": function}, {})
    assert list(tmp_path.iterdir()) == []
    variable, function = doubling()
    with pytest.raises(ValueError, match="at most 1000 warm-up requests"):
        write_saved_model(
            tmp_path / "model", {"__call__": function}, {}, [variable], warmup_requests=[("s", {})] * 1001
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("weights", [0, 1000])
def test_a_full_disk_is_said_with_the_path(tmp_path, weights):
    """Whether it ends at the graph or at the weights before it."""
    variable, function = doubling()
    more = [tf.Variable(tf.zeros(weights))] if weights else []
    with small_files(1000), pytest.raises(OSError, match=r"\[Errno 27\] File too large: '.*model'"):
        write_saved_model(tmp_path / "model", {"__call__": function}, {}, [variable, *more])
    assert list(tmp_path.iterdir()) == []


def test_equal_weights_give_equal_variables(tmp_path):
    for name in ("a", "b"):
        variable, function = doubling()
        write_saved_model(tmp_path / name, {"__call__": function}, {}, [variable], [variable])
    files = [tmp_path / name / "variables" / "variables.data-00000-of-00001" for name in ("a", "b")]
    assert files[0].read_bytes() == files[1].read_bytes()
