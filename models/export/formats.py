"""Networks in the formats of other runtimes.

SavedModel and LiteRT are made by TensorFlow, ONNX is written operator by operator (``models.export.onnx_graph``).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal, get_args

from data_prep.errors import InputError
from data_prep.files import toml_beside

if TYPE_CHECKING:
    import keras

Format = Literal["keras", "saved_model", "onnx", "litert"]
Quantize = Literal["int8"]

FORMATS: dict[str, dict[str, Any]] = toml_beside(__file__)
QUANTIZED: tuple[Format, ...] = ("onnx", "litert")


def check_format(form: str, quantize: str | None) -> None:
    """Refuse a format that there is not, that is not installed, or that has no such numbers.

    Raises:
        InputError: It is one of these.
    """
    if form not in FORMATS:
        raise InputError("There is no such format", allowed=", ".join(FORMATS), received=form)
    if quantize not in (None, *get_args(Quantize)):
        raise InputError("Weights are quantised to int8, or not at all", received=quantize)
    if quantize and form not in QUANTIZED:
        raise InputError(f"{form} keeps float32", allowed=f"--quantize with {' or '.join(QUANTIZED)}")
    if missing := [name for name in FORMATS[form]["needs"] if importlib.util.find_spec(name) is None]:
        raise InputError(
            f"The format {form} needs {' and '.join(missing)}, which is not installed",
            remedy="Install the extra: pip install 'lectern[export]'",
        )


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
        path.write_bytes(_litert(network, quantize, set(single)))


def signature_of(network: keras.Model, single: Iterable[str] = ()) -> dict[str, Any]:
    """Give TensorFlow's type of each input by its name, with one text or picture for those of ``single``."""
    import tensorflow as tf

    return {
        one.name: tf.TensorSpec([1, *one.shape[1:]] if one.name in single else one.shape, one.dtype, one.name)
        for one in network.inputs
    }


def _write_saved_model(network: keras.Model, path: Path, single: Iterable[str] = ()) -> None:
    import keras

    archive = keras.export.ExportArchive()
    archive.track(network)
    archive.add_endpoint(
        "serve",
        lambda inputs: network(inputs, training=False),
        input_signature=[signature_of(network, single)],
    )
    archive.write_out(str(path), verbose=False)


def _litert(network: keras.Model, quantize: Quantize | None, single: set[str]) -> bytes:
    import tensorflow as tf

    with TemporaryDirectory(prefix="lectern-litert-") as folder, redirect_stdout(StringIO()):
        _write_saved_model(network, Path(folder) / "model", single)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(Path(folder) / "model"))
        if quantize:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        try:
            return converter.convert()
        except Exception as error:  # of many kinds, and its text is pages of compiler output
            raise InputError(
                "LiteRT has no operators for this network", remedy="Take the format onnx, or saved_model"
            ) from error


def _write_onnx(network: keras.Model, path: Path, quantize: Quantize | None) -> None:
    import onnx

    from models.export.onnx_graph import onnx_model

    onnx.save(onnx_model(network), path)
    if quantize:
        from onnxruntime.quantization import QuantType, quantize_dynamic

        whole = path.rename(path.with_suffix(".whole"))
        quantize_dynamic(whole, path, weight_type=QuantType.QUInt8)
        whole.unlink()
