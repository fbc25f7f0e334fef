"""Hold all libraries of a process to the instructions of an older processor, and check that it took effect."""

from __future__ import annotations

import os
from pathlib import Path

from threadpoolctl import threadpool_info

from benchmarks.harness import THREAD_VARIABLES
from data_prep.errors import InputError

_CPU_INFO = Path("/proc/cpuinfo")
INSTRUCTION_SETS = ("native", "avx2")
# What holds NumPy's matrix products (OpenBLAS), TensorFlow and PyTorch (oneDNN, MKL, ATen), spaCy (BLIS) and Numba.
_VARIABLES = {
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "DNNL_MAX_CPU_ISA": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "ATEN_CPU_CAPABILITY": "avx2",
    "BLIS_ARCH_TYPE": "haswell",
    "NUMBA_CPU_NAME": "haswell",
    "NUMBA_CPU_FEATURES": "+avx,+avx2,+bmi,+bmi2,+f16c,+fma,+popcnt,+sse4.2",
}
_WIDER = ("AVX512", "X86_V4", "AMX")  # of NumPy's names of instructions


def environment(name: str, cores: int) -> dict[str, str]:
    """Return the variables of a process that is held to an instruction set and a number of cores.

    Raises:
        InputError: The processor lacks it.
    """
    held = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(cores))}
    if name == "native":
        return held
    if "avx2" not in _flags():
        raise InputError("This processor has no AVX2", allowed="native", received=name)
    return held | _VARIABLES | {"NPY_DISABLE_CPU_FEATURES": " ".join(_numpy_features())}


def in_use(name: str) -> str:
    """Return the name of an instruction set after checking that this process is held to it.

    Raises:
        InputError: It is not.
    """
    if name == "avx2":
        libraries = {
            one["architecture"] for one in threadpool_info() if one.get("internal_api") == "openblas"
        }
        if wider := [*sorted(libraries - {_VARIABLES["OPENBLAS_CORETYPE"]}), *_numpy_features()]:
            raise InputError("The libraries are not held to avx2", received=", ".join(wider))
    return name


def _numpy_features() -> list[str]:
    """Return NumPy's names of the instructions beyond AVX2 that it uses and can be kept from."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    return [name for name in __cpu_dispatch__ if name.startswith(_WIDER) and __cpu_features__[name]]


def _flags() -> set[str]:
    """Return the names of what the processor can do; none where the system does not say."""
    text = _CPU_INFO.read_text(encoding="utf-8") if _CPU_INFO.is_file() else ""
    return set(next((line for line in text.splitlines() if line.startswith("flags")), "").split())
