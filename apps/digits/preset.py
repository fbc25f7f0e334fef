"""The preset of a digit network: weights as they are stored, epochs that are kept beside it, the folder itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras
    import numpy as np

    from apps.digits.application import Digits
    from apps.digits.sources import DigitsSource
    from apps.digits.task import DigitsRecipe, Trained
    from models.digit_cnn.config import DigitCNNConfig

_GOLDEN_IMAGES = 8


class KeptEpochs:
    """Weights of chosen epochs in a run folder, so that a resumed run has those of before.

    Args:
        run_dir: The folder; made when something is kept.
        epochs: Those to keep; 0 for the first weights.
    """

    def __init__(self, run_dir: Path, epochs: tuple[int, ...]) -> None:
        self._run_dir, self._epochs = run_dir, frozenset(epochs)

    def keep(self, epoch: int, model: keras.Model) -> None:
        """Keep the weights of a network if this epoch is to be kept."""
        from models.storage.arrays import write_arrays
        from models.storage.atomic import write_file, writing_to
        from models.storage.variables import variable_arrays

        if epoch not in self._epochs:
            return
        with writing_to(self._run_dir):
            self._run_dir.mkdir(parents=True, exist_ok=True)
        arrays = variable_arrays(model.weights)
        write_file(self._path(epoch), lambda file: write_arrays(file, arrays))

    def all(self, model: keras.Model) -> dict[int, dict[str, np.ndarray]]:
        """Read what was kept: epoch to weights by path."""
        from models.storage.arrays import read_arrays
        from models.storage.variables import variable_specs

        specs = variable_specs(model.weights)
        there = [epoch for epoch in sorted(self._epochs) if self._path(epoch).is_file()]
        return {epoch: read_arrays(self._path(epoch), specs) for epoch in there}

    def _path(self, epoch: int) -> Path:
        return self._run_dir / f"kept-{epoch:04d}.npz"


def stored_form(config: DigitCNNConfig, labels: tuple[str, ...], model: keras.Model) -> Digits:
    """Return the application of a network, with its weights as a preset stores them (float16)."""
    import numpy as np

    from apps.digits.application import Digits
    from models.storage.variables import variable_arrays

    arrays = variable_arrays(model.weights)
    stored = {name: array.astype(np.float16).astype(np.float32) for name, array in arrays.items()}
    return Digits(config, stored, labels)


def write_preset(
    out: Path, recipe: DigitsRecipe, trained: Trained, metrics: Mapping[str, Any], source: DigitsSource
) -> dict[str, Any]:
    """Write the preset of a trained network, float16, verified by loading it in a fresh process.

    Args:
        out: Folder to make; weights of kept epochs go into a file beside it.
        recipe: What made it.
        trained: The network.
        metrics: As ``apps.digits.evaluation.metrics_of`` gives them.
        source: Its images.

    Returns:
        Folder, epochs, seconds and score.
    """
    from apps.digits.epochs import epochs_file, write_epochs
    from data_prep.images.preparation import digit_batch
    from models.digit_cnn.config import KIND
    from models.presets.store import VERIFY_COMMAND, save_preset

    result, config = trained.result, trained.digits.config
    save_preset(
        out,
        kind=KIND,
        config=config,
        weights=trained.model,
        golden={"image": digit_batch(source.train.images[:_GOLDEN_IMAGES])},
        metrics=metrics,
        metadata={
            "recipe": recipe,
            "seed": recipe.seed,
            "data": dict(source.checksums),
            "seconds": result.seconds,
            "history": list(result.history),
            "depth": config.depth,
            "trained_parameters": config.parameters,
            "multiply_adds": config.multiply_adds,
        },
        card=source.card,
        labels=source.labels,
        dtype="float16",
        verify_command=VERIFY_COMMAND,
    )
    if trained.kept:
        write_epochs(epochs_file(out), trained.kept)
    measured = metrics["accuracy"]
    return {
        "preset": str(out),
        "architecture": config.architecture,
        "parameters": config.parameters,
        "epochs": result.epochs,
        "seconds": round(result.seconds),
        "split": measured["split"],
        "accuracy": round(measured["score"], 3),
        "standard_error": round(measured["standard_error"], 3),
        "n": measured["n"],
    }
