"""Hold all libraries of a process to the instructions of an older processor, and check that it took effect."""

from __future__ import annotations

import os
from pathlib import Path

from threadpoolctl import threadpool_info

from benchmarks.harness import THREAD_VARIABLES
from data_prep.errors import InputError

_CPU_INFO = Path("/proc/cpuinfo")
# For each set: the flag of the processor that it needs, and the variables of NumPy's matrix products (OpenBLAS),
# TensorFlow's and PyTorch's (oneDNN, MKL, ATen), spaCy's (BLIS) and of what Numba compiles.
INSTRUCTION_SETS: dict[str, tuple[str, dict[str, str]]] = {
    "native": ("", {}),
    "avx2": (
        "avx2",
        {
            "ONEDNN_MAX_CPU_ISA": "AVX2",
            "DNNL_MAX_CPU_ISA": "AVX2",
            "OPENBLAS_CORETYPE": "Haswell",
            "MKL_ENABLE_INSTRUCTIONS": "AVX2",
            "ATEN_CPU_CAPABILITY": "avx2",
            "BLIS_ARCH_TYPE": "haswell",
            "NUMBA_CPU_NAME": "haswell",
            "NUMBA_CPU_FEATURES": "+avx,+avx2,+bmi,+bmi2,+f16c,+fma,+popcnt,+sse4.2",
        },
    ),
}
_WIDER = ("AVX512", "X86_V4", "AMX")  # of NumPy's names of instructions


def environment(name: str, cores: int) -> dict[str, str]:
    """Return the variables of a process that is held to an instruction set and a number of cores.

    Raises:
        InputError: The processor lacks it.
    """
    flag, variables = INSTRUCTION_SETS[name]
    if flag and flag not in _flags():
        raise InputError(
            f"This processor has no {name.upper()}", allowed=", ".join(_possible()), received=name
        )
    held = {**os.environ, **variables, **dict.fromkeys(THREAD_VARIABLES, str(cores))}
    if name == "avx2":
        held["NPY_DISABLE_CPU_FEATURES"] = " ".join(_numpy_features())
    return held


def in_use(name: str) -> str:
    """Return the name of an instruction set after checking that this process is held to it.

    Raises:
        InputError: It is not.
    """
    wanted = INSTRUCTION_SETS[name][1].get("OPENBLAS_CORETYPE")
    found = {one["architecture"] for one in threadpool_info() if one.get("internal_api") == "openblas"}
    wider = _numpy_features() if name == "avx2" else []
    if (wanted and found - {wanted}) or wider:
        raise InputError(
            f"The libraries are not held to {name}", received=", ".join([*sorted(found), *wider])
        )
    return name


def _numpy_features() -> list[str]:
    """Return NumPy's names of the instructions beyond AVX2 that it uses and can be kept from."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    return [name for name in __cpu_dispatch__ if name.startswith(_WIDER) and __cpu_features__[name]]


def _flags() -> set[str]:
    """Return the names of what the processor can do; none where the system does not say."""
    if not _CPU_INFO.is_file():
        return set()
    lines = _CPU_INFO.read_text(encoding="utf-8").splitlines()
    return set(next((line for line in lines if line.startswith("flags")), "").split())


def _possible() -> list[str]:
    return [name for name, (flag, _) in INSTRUCTION_SETS.items() if not flag or flag in _flags()]
