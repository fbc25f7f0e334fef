"""Word vectors as data: unique keys and a float32 matrix, read from and written to every usual form."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data_prep.array_files import read_arrays, write_arrays
from data_prep.errors import InputError
from data_prep.readers.word_vectors import FORMATS, detect_format, read_vectors, write_vectors
from data_prep.text.vocab import Vocabulary

if TYPE_CHECKING:
    from gensim.models import KeyedVectors

STORAGES = ("float32", "float16", "int8")


def quantise(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Store each row as whole numbers and one scale, symmetric about zero.

    With ``scale = max(|row|) / 127`` every number comes back within half a scale: within 1/254 of the largest absolute
    value of its row.

    Args:
        vectors: Finite floats of shape (rows, dimensions).

    Returns:
        The codes, int8 of shape (rows, dimensions), and the scales, float32 of shape (rows,).

    Raises:
        InputError: A number is NaN or infinite.
    """
    if not np.isfinite(vectors).all():
        raise InputError("Only finite numbers can be quantised")
    scales = (np.max(np.abs(vectors), axis=1, initial=0.0).astype(np.float64) / 127).astype(np.float32)
    # A row of zeros, or of numbers too small for a float32 scale, is stored as zeros.
    divisors = np.where(scales > 0, scales, np.inf).astype(np.float64)
    return np.clip(np.rint(vectors / divisors[:, None]), -127, 127).astype(np.int8), scales


def dequantise(codes: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Undo :func:`quantise`; each number is within half its row's scale of the original.

    Args:
        codes: Integers of shape (rows, dimensions).
        scales: Floats of shape (rows,).

    Returns:
        Float32 of shape (rows, dimensions).

    Raises:
        InputError: The shapes do not fit, the codes are no integers, or a scale is negative or not finite.
    """
    scales = scales.astype(np.float32)
    fits = codes.ndim == 2 and scales.shape == codes.shape[:1] and codes.dtype.kind == "i"
    if not fits or not (np.isfinite(scales) & (scales >= 0)).all():
        raise InputError(
            "Quantised vectors need integer codes (rows, dimensions) and one scale a row, finite and not negative",
            received=f"codes {codes.dtype} {codes.shape}, scales {scales.shape}",
        )
    return codes.astype(np.float32) * scales[:, None]


class WordVectors:
    """A vocabulary with one vector a key; immutable, so that threads and pages can share it.

    Args:
        keys: Unique, non-empty strings, by convention by falling count in the corpus; or a vocabulary of these without
            specials.
        vectors: Finite floats of shape (keys, dimensions), kept as read-only float32: copied, unless they are
            read-only float32 already.
        counts: How often each key occurred in the corpus, whole numbers of shape (keys,), where they are known and
            not in the vocabulary.

    Raises:
        InputError: The shapes do not fit, a key is empty or twice there, or a number is NaN or infinite.
    """

    def __init__(
        self, keys: Iterable[str] | Vocabulary, vectors: np.ndarray, counts: Sequence[int] | None = None
    ) -> None:
        self.vocabulary = keys if isinstance(keys, Vocabulary) else Vocabulary(keys, counts, specials=())
        self.keys, self.counts = self.vocabulary.entries, self.vocabulary.counts
        if not isinstance(vectors, np.ndarray) or vectors.dtype != np.float32 or vectors.flags.writeable:
            vectors = np.array(vectors, np.float32)
            vectors.setflags(write=False)
        self.vectors = vectors
        if vectors.ndim != 2 or len(vectors) != len(self.keys) or vectors.size == 0:
            raise InputError(
                "Word vectors are a matrix with one row a key and at least one key and dimension",
                received=f"{len(self.keys)} keys and an array of shape {vectors.shape}",
            )
        if "" in self.vocabulary:
            raise InputError("A key of the word vectors is empty")
        try:
            "".join(self.keys).encode("utf-8")
        except UnicodeEncodeError as error:
            raise InputError("A key of the word vectors holds half of a surrogate pair") from error
        finite = np.isfinite(vectors).all(axis=1)
        if not finite.all():
            raise InputError(
                f"The vector of {self.keys[int(np.argmin(finite))]!r} holds NaN or infinity",
                allowed="finite numbers",
            )

    @property
    def dimensions(self) -> int:
        """Length of each vector."""
        return self.vectors.shape[1]

    @cached_property
    def normalized(self) -> np.ndarray:
        """The vectors at length 1, read-only float32 of shape (keys, dimensions); zero stays zero."""
        # In float64, where no square of a float32 overflows or vanishes.
        norms = np.sqrt(np.einsum("kd,kd->k", self.vectors, self.vectors, dtype=np.float64))[:, None]
        unit = np.divide(
            self.vectors, norms, out=np.zeros_like(self.vectors), where=norms > 0, casting="same_kind"
        )
        unit.setflags(write=False)
        return unit

    def __len__(self) -> int:
        return len(self.keys)

    def __contains__(self, key: object) -> bool:
        return key in self.vocabulary

    def __getitem__(self, key: str) -> np.ndarray:
        return self.vectors[self.index(key)]

    def __repr__(self) -> str:
        return f"WordVectors({len(self)} keys, {self.dimensions} dimensions)"

    def index(self, key: str) -> int:
        """Return the row of a key; an InputError where it is unknown."""
        return self.vocabulary.id(key)

    def first(self, number: int | None) -> WordVectors:
        """Return the vectors of the first keys, at most ``number`` of them; None for all."""
        counts = None if self.counts is None else self.counts[:number]
        return WordVectors(self.keys[:number], self.vectors[:number], counts)

    def matrix_for(self, vocabulary: Iterable[str], seed: int = 0) -> np.ndarray:
        """Arrange the vectors for an embedding layer of another vocabulary.

        Args:
            vocabulary: A ``Vocabulary``, or the entries in the order of their ids.
            seed: Of the random vectors for entries without a vector.

        Returns:
            Float32 of shape (entries, dimensions). Entries without a vector are drawn from a normal distribution with
            each dimension's mean and standard deviation; the padding entry ``<pad>`` is zero.
        """
        entries = list(vocabulary)
        mean, deviation = self.vectors.mean(axis=0), self.vectors.std(axis=0)
        shape = (len(entries), self.dimensions)
        matrix = np.random.default_rng(seed).standard_normal(shape, dtype=np.float32) * deviation + mean
        matrix[[entry == "<pad>" for entry in entries]] = 0.0
        matrix[[entry in self for entry in entries]] = self.vectors[self.vocabulary.encode_known(entries)]
        return matrix

    def to_arrays(self, storage: str = "float32") -> dict[str, np.ndarray]:
        """Turn into plain arrays for an ``.npz`` file.

        Args:
            storage: ``"float32"`` (exact), ``"float16"`` (11 significant bits; up to 65,504) or ``"int8"``
                (see :func:`quantise`).

        Returns:
            ``vectors``, or ``codes`` and ``scales``; ``keys`` (the UTF-8 bytes of a JSON list, uint8) and, if known,
            ``counts`` (int64).

        Raises:
            InputError: The storage is unknown, or a number is too large for it.
        """
        _check_known("storage", storage, STORAGES)
        if storage == "int8":
            arrays = dict(zip(("codes", "scales"), quantise(self.vectors), strict=True))
        else:
            with np.errstate(over="ignore"):
                arrays = {"vectors": self.vectors.astype(storage)}
            if not np.isfinite(arrays["vectors"]).all():
                raise InputError(
                    "The vectors do not fit float16", allowed="numbers up to 65504", remedy="Use float32"
                )
        arrays["keys"] = np.frombuffer(json.dumps(self.keys, ensure_ascii=False).encode(), dtype=np.uint8)
        return arrays if self.counts is None else {**arrays, "counts": self.counts}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> WordVectors:
        """Undo :meth:`to_arrays`, whatever the storage was.

        Raises:
            InputError: An array is missing, of a wrong type or inconsistent with the others.
        """
        if "vectors" in arrays and arrays["vectors"].dtype.kind == "f":
            with np.errstate(over="ignore"):  # what is too large for float32 is refused as infinite
                vectors = arrays["vectors"].astype(np.float32)
        elif {"codes", "scales"} <= set(arrays):
            vectors = dequantise(arrays["codes"], arrays["scales"])
        else:
            raise InputError(
                "These arrays are no word vectors",
                allowed="'vectors', or 'codes' and 'scales'",
                received=sorted(arrays),
            )
        try:
            keys = json.loads(arrays["keys"].astype(np.uint8, casting="equiv").tobytes().decode("utf-8"))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError("The arrays hold no readable list of keys under 'keys'") from error
        if not isinstance(keys, list):
            raise InputError("The keys of word vectors are a JSON list", received=keys)
        return cls(keys, vectors, np.ravel(arrays["counts"]) if "counts" in arrays else None)

    def save(
        self, path: Path | str, file_format: str = "npz", *, storage: str = "float32", overwrite: bool = False
    ) -> None:
        """Write to a file, whole or not at all.

        Args:
            path: Where to, under exactly this name.
            file_format: ``"npz"``, ``"text"`` or ``"binary"`` (word2vec; these two keep no counts).
            storage: Of the numbers in an npz file, see :meth:`to_arrays`; the others hold float32.
            overwrite: Whether an existing file may be replaced.

        Raises:
            InputError: The format is unknown or has no such storage, the file cannot be written, or a key has white
                space that a word2vec file cannot hold.
        """
        _check_known("format", file_format, FORMATS)
        if file_format == "npz":
            write_arrays(path, self.to_arrays(storage), overwrite=overwrite)
        elif storage != "float32":
            raise InputError(
                "A word2vec file has no such storage",
                allowed="float32",
                received=storage,
                remedy="Choose the format npz",
            )
        else:
            write_vectors(path, self.keys, self.vectors, file_format, overwrite=overwrite)

    @classmethod
    def load(cls, path: Path | str, file_format: str | None = None) -> WordVectors:
        """Read a file of any of the formats.

        Args:
            path: The file.
            file_format: ``"npz"``, ``"text"``, ``"binary"`` or None to look at its first bytes.

        Returns:
            The word vectors.

        Raises:
            InputError: The file is missing, damaged, a pickle or not well-formed.
        """
        file_format = file_format or detect_format(path)
        _check_known("format", file_format, FORMATS)
        if file_format == "npz":
            return cls.from_arrays(read_arrays(path))
        return cls(*read_vectors(path, file_format))

    @classmethod
    def from_keyed_vectors(cls, keyed_vectors: KeyedVectors) -> WordVectors:
        """Take over gensim's vectors, a trained model's ``wv``, with counts where gensim has them."""
        counts = keyed_vectors.expandos.get("count")
        return cls(keyed_vectors.index_to_key, keyed_vectors.vectors, counts)


def _check_known(what: str, name: str, known: Sequence[str]) -> None:
    if name not in known:
        raise InputError(f"Unknown {what} of word vectors", allowed=", ".join(known), received=name)
