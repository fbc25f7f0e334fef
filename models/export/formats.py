"""Networks in the formats of other runtimes.

SavedModel and LiteRT are made by TensorFlow, ONNX is written operator by operator (``models.export.onnx_graph``).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from data_prep.errors import InputError
from data_prep.files import toml_beside

if TYPE_CHECKING:
    import keras

Format = Literal["keras", "saved_model", "onnx", "litert"]
Quantize = Literal["int8"]

FORMATS: dict[str, dict[str, Any]] = toml_beside(__file__)
QUANTIZED: tuple[Format, ...] = ("onnx", "litert")


def write_network(
    network: keras.Model, folder: Path, form: Format, quantize: Quantize | None, single: Iterable[str]
) -> None:
    """Write a network of ``models.export.plain.plain`` into a folder.

    Args:
        network: The network.
        folder: An empty folder.
        form: Its format.
        quantize: ``"int8"`` for 8-bit weights.
        single: Inputs that hold one text or picture, in LiteRT, which has no loops over batches of unknown size.

    Raises:
        InputError: A layer is not to be had in this format.
    """
    path = folder / FORMATS[form]["file"]
    if form == "keras":
        network.save(path)
    elif form == "onnx":
        _write_onnx(network, path, quantize)
    elif form == "saved_model":
        _write_saved_model(network, path)
    else:
        _write_litert(network, path, quantize, single)


def signature_of(network: keras.Model, single: Iterable[str] = ()) -> dict[str, Any]:
    """Give TensorFlow's type of each input by its name, with one text or picture for those of ``single``."""
    import tensorflow as tf

    return {
        one.name: tf.TensorSpec([1, *one.shape[1:]] if one.name in single else one.shape, one.dtype, one.name)
        for one in network.inputs
    }


def _write_saved_model(network: keras.Model, path: Path) -> None:
    import tensorflow as tf

    answer = tf.function(
        lambda inputs: network(inputs, training=False), input_signature=[signature_of(network)]
    )
    module = tf.Module()  # that of Keras (3.15) holds every variable twice
    module.answer, module.weights = answer, [variable.value for variable in network.variables]
    tf.saved_model.save(module, str(path), signatures=answer.get_concrete_function())


def _write_litert(network: keras.Model, path: Path, quantize: Quantize | None, single: Iterable[str]) -> None:
    import tensorflow as tf

    settings = {
        "input_signature": [signature_of(network, single)],
        "target_spec": {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]},
        "optimizations": [tf.lite.Optimize.DEFAULT] if quantize else [],
    }
    try:
        network.export(str(path), format="litert", verbose=False, **settings)
    except Exception as error:  # of many kinds, and its text is pages of compiler output
        remedy = "Take the format onnx, or saved_model"
        raise InputError("LiteRT has no operators for this network", remedy=remedy) from error


def _write_onnx(network: keras.Model, path: Path, quantize: Quantize | None) -> None:
    import onnx

    from models.export.onnx_graph import onnx_model

    onnx.save(onnx_model(network), path)
    if quantize:
        from onnxruntime.quantization import QuantType, quantize_dynamic

        whole = path.rename(path.with_suffix(".whole"))
        quantize_dynamic(whole, path, weight_type=QuantType.QUInt8)
        whole.unlink()
