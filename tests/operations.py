"""Which operations TensorFlow graphs are made of."""


def of_graph(graph_def):
    """The operations of a graph and of all functions in it."""
    functions = {function.signature.name for function in graph_def.library.function}
    nodes = [*graph_def.node, *(node for function in graph_def.library.function for node in function.node_def)]
    return {node.op for node in nodes} - functions


def of_saved_model(path):
    """Those of the folder of a SavedModel."""
    from tensorflow.core.protobuf import saved_model_pb2

    return of_graph(
        saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes()).meta_graphs[0].graph_def
    )


def of_xla(operations):
    """Those that XLA compiles wherever they stand, so that TensorFlow Serving by default refuses them."""
    return sorted(operation for operation in operations if operation.startswith("Xla"))
