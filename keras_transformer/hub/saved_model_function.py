"""Chooses which function of a loaded SavedModel is called: its root, or one of its signatures."""

from typing import Any

from keras_transformer.hub.root_function import RootFunction, traces
from keras_transformer.hub.signature_function import SignatureFunction

_USUAL = "serving_default"


def choose_function(
    saved_model: Any,
    handle: str,
    signature: str | None = None,
    output_key: str | None = None,
    arguments: dict[str, Any] | None = None,
    tf1_hub_format: bool = False,
    for_inference: bool = False,
) -> RootFunction | SignatureFunction:
    """Chooses the function of a SavedModel that a caller with these options wants.

    Args:
        saved_model: what `tf.saved_model.load` returned.
        handle: where it came from, for error messages.
        signature: name of a signature. `None` stands for the root if it can be called, else for the signature
            "serving_default", else for the only signature.
        output_key: the entry of a dictionary of outputs to return; `None` for all of them.
        arguments: dictionary of further keyword arguments.
        tf1_hub_format: whether `hub.Module` wrote the SavedModel: then signature and output are "default".
        for_inference: whether the signature "serving_default" goes before the root, which may be trainable.

    Returns:
        A `RootFunction` or a `SignatureFunction`.

    Raises:
        ValueError: for a SavedModel without functions; for a signature, an output or an argument that it lacks.
    """
    signatures = signatures_of(saved_model)
    arguments = {} if arguments is None else arguments
    if not isinstance(arguments, dict):
        raise ValueError(f"Expected arguments to be a dictionary. Received: {arguments!r}")
    is_callable = bool(traces(saved_model))
    if for_inference and signature is None and _USUAL in signatures:
        signature = _USUAL
    if is_callable and signature is None:
        return RootFunction(saved_model, handle, output_key, arguments)
    if not is_callable and not signatures:
        raise ValueError(f"Expected a SavedModel with functions. Received: {handle}, of which none was traced")
    if is_callable:
        why = f"is called by its signature {signature!r}, a graph for inference"
    elif tf1_hub_format:
        why = "is in the TF1 hub format, which TF2 loads without regularization losses and updates of its statistics"
    else:
        why = "has no reusable interface (its root cannot be called), only signatures, which are graphs for inference"
    if signature is None and tf1_hub_format:
        signature, output_key = "default", output_key or "default"
    if signature is None:
        signature = _only_signature(signatures, handle)
    if signature not in signatures:
        raise ValueError(f"Expected one of the signatures {sorted(signatures)} of {handle}. Received: {signature!r}")
    return SignatureFunction(signatures[signature], handle, output_key, arguments, why)


def signatures_of(saved_model: Any) -> dict[str, Any]:
    """The signatures of a loaded SavedModel: {name: concrete function}."""
    return dict(getattr(saved_model, "signatures", {}))


def _only_signature(signatures, handle):
    usual = [_USUAL] if _USUAL in signatures else list(signatures)
    if len(usual) != 1:
        raise ValueError(
            f"Expected signature to be one of {sorted(signatures)}, since the root of {handle} cannot be called. "
            "Received: signature=None"
        )
    return usual[0]
