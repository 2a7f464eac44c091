"""Which devices to train on."""

import json
import os

import tensorflow as tf

from keras_transformer import arguments

DISTRIBUTIONS = ("auto", "none", "mirrored", "workers")


def make_strategy(name: str = "auto") -> tf.distribute.Strategy:
    """The `tf.distribute.Strategy` for this process; to be called before TensorFlow computes anything.

    Args:
        name: "none" for one device; "mirrored" for all GPUs of this machine; "workers" for several processes that
            train one model together, each started with the same command and its own `TF_CONFIG` (or all of them by
            Slurm's `srun`): the call waits until all are there. "auto" for the last where `TF_CONFIG` or `srun` name
            several workers, else for the second where there are several GPUs, else for the first.

    Returns:
        A strategy.

    Raises:
        ValueError: for an unknown name, for "workers" without a cluster, and for several workers in a program that has
            used TensorFlow already.
    """
    arguments.one_of("distribution", name, DISTRIBUTIONS)
    resolver = _cluster_resolver() if name in ("auto", "workers") else None
    if resolver is not None:
        try:
            return tf.distribute.MultiWorkerMirroredStrategy(cluster_resolver=resolver)
        except RuntimeError as error:
            raise ValueError(f"Expected a strategy of several workers before any tensor. Received: {error}") from error
    if name == "workers":
        raise ValueError(
            "Expected TF_CONFIG with a cluster of several workers, or a start by srun. Received: "
            f"TF_CONFIG={os.environ.get('TF_CONFIG')!r}"
        )
    if name == "mirrored" or (name == "auto" and len(tf.config.list_logical_devices("GPU")) > 1):
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def _cluster_resolver():
    """Of several workers, or `None`."""
    num_tasks = int(os.environ.get("SLURM_STEP_NUM_TASKS", "1"))
    if num_tasks > 1 and "TF_CONFIG" not in os.environ:
        # Only for the addresses: of GPUs each process takes those that Slurm gave it (srun --gpus-per-task).
        slurm = tf.distribute.cluster_resolver.SlurmClusterResolver(
            gpus_per_node=num_tasks, gpus_per_task=1, auto_set_gpu=False
        )
        cluster = slurm.cluster_spec().as_dict()
        task = {"type": slurm.task_type, "index": slurm.task_id}
        os.environ["TF_CONFIG"] = json.dumps({"cluster": cluster, "task": task})
    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    spec = resolver.cluster_spec()
    return resolver if sum(spec.num_tasks(job) for job in spec.jobs if job in ("chief", "worker")) > 1 else None
