import pytest

from tests.hub import foreign


def written(write, **kwargs):
    """A fixture, once a module: the path that `write` wrote; with what it returned, if that is something."""

    @pytest.fixture(scope="module")
    def handle(tmp_path_factory):
        path = str(tmp_path_factory.mktemp("foreign") / "saved")
        model = write(path, **kwargs)
        return path if model is None else (path, model)

    return handle


module = written(foreign.write_module)
scaler = written(foreign.write_scaler)
embedding = written(foreign.write_embedding)
tf_keras_model = written(foreign.write_tf_keras)
keras_export = written(foreign.write_keras_export)
tf1 = written(foreign.write_tf1, with_training_graph=True)
tf1_hub = written(foreign.write_tf1, hub_format=True, with_training_graph=True)
