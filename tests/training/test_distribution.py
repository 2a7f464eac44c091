import json

import pytest
import tensorflow as tf

from keras_transformer.training import make_strategy


def test_one_device_unless_there_are_more():
    for name in ("none", "auto"):
        assert make_strategy(name).num_replicas_in_sync == 1
    # The CPU alone.
    strategy = make_strategy("mirrored")
    assert isinstance(strategy, tf.distribute.MirroredStrategy) and strategy.num_replicas_in_sync == 1


def test_a_cluster_of_one_is_none(monkeypatch):
    config = {"cluster": {"worker": ["localhost:1"]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    assert not isinstance(make_strategy("auto"), tf.distribute.MultiWorkerMirroredStrategy)


def test_bad_names():
    with pytest.raises(ValueError, match="distribution='many'"):
        make_strategy("many")
    with pytest.raises(ValueError, match="Expected TF_CONFIG with a cluster of several workers"):
        make_strategy("workers")


def test_a_start_by_srun(monkeypatch):
    made = []
    monkeypatch.setattr(
        tf.distribute, "MultiWorkerMirroredStrategy", lambda cluster_resolver: made.append(cluster_resolver)
    )
    monkeypatch.setenv("TF_CONFIG", "")  # so that it is put back afterwards
    monkeypatch.delenv("TF_CONFIG")
    for name, value in {
        "SLURM_STEP_NUM_TASKS": "2",
        "SLURM_STEP_NODELIST": "n[1-2]",
        "SLURM_STEP_TASKS_PER_NODE": "1(x2)",
        "SLURM_PROCID": "1",
    }.items():
        monkeypatch.setenv(name, value)
    make_strategy("workers")
    (resolver,) = made
    assert resolver.cluster_spec().as_dict() == {"worker": ["n1:8888", "n2:8888"]}
    assert (resolver.task_type, resolver.task_id) == ("worker", 1)
