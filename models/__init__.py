"""The networks: what each is made of, how it is trained, served, kept and looked into."""

import os
import platform

# TensorFlow reads both when it is first imported. By itself it leaves oneDNN to processors with AVX-512; with AVX2
# alone the residual network of digits trains 2.6 times as fast with it. Its notes about the processor help nobody.
if platform.machine() in ("x86_64", "AMD64"):
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
