"""The convolution bench: the lecture's worked examples with your own numbers; no trained model is needed.

>>> run_signal((0, 0, 1, 1, 0), read_layers("correlate -1 1 cyclic")).output
(0.0, 1.0, 0.0, -1.0, 0.0)
>>> convolution_sizes(read_rules("4x4x3", "2x2x2")).output
(3, 3, 2)

The parts: one signal (``signals``), its detector learned by SGD (``learned``), tensors and the kinds of
convolution (``tensors``, ``kinds``), a kernel on a digit (``digit``), sizes (``sizes``, ``stack``), Einstein summation
and its derivative (``einsum``, ``contraction``), and every example as Keras (``keras_code``).
"""

# ruff: noqa: F401 - names for users of the bench
from __future__ import annotations

from apps.convolution.contraction import contract, derivative, loops
from apps.convolution.digit import convolve_digit, digit_image, hand_made_kernels, trained_kernels
from apps.convolution.einsum import batched, free_tensors, read_program
from apps.convolution.keras_code import einsum_code, kind_code, signal_code, sizes_code, stack_code
from apps.convolution.kinds import KINDS, run_kind
from apps.convolution.learned import learn_detector
from apps.convolution.numbers import read_numbers, read_sizes, read_tensor
from apps.convolution.signals import read_layers, run_signal
from apps.convolution.sizes import convolution_sizes, read_rules
from apps.convolution.stack import stack_sizes
