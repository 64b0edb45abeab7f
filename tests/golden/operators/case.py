"""What a golden case is, and the input vectors that cases share."""

import zlib
from dataclasses import dataclass

import numpy as np

from model import Model
from reference import TFLM

ONE = np.float32(1)


@dataclass
class Case:
    """One model with its input vectors; `special` says what it is there to catch."""

    name: str
    special: str
    model: Model
    inputs: list
    outputs: list
    vectors: list
    reference: str


def case(name, special, model, inputs, outputs, vectors=None, reference=TFLM):
    """A case; without `vectors` it runs random values, extremes and a ramp."""
    if vectors is None:
        vectors = standard_vectors(name, inputs)
    return Case(name, special, model, inputs, outputs, vectors, reference)


def generator(name, purpose="weights"):
    """Random numbers that depend on the case alone, so that cases can be added and removed."""
    return np.random.default_rng(zlib.crc32(f"{name}/{purpose}".encode()))


def standard_vectors(name, tensors):
    """Three vectors for int8 tensors: uniform, only -128 and 127, and a ramp."""
    rng = generator(name, "inputs")
    return [[make(rng, tensor) for tensor in tensors] for make in (uniform, extremes, ramp)]


def uniform(rng, tensor):
    return rng.integers(-128, 128, tensor.shape).astype(tensor.dtype)


def extremes(rng, tensor):
    return rng.choice([-128, 127], tensor.shape).astype(tensor.dtype)


def ramp(rng, tensor):
    count = int(np.prod(tensor.shape))
    values = (np.arange(count) + rng.integers(256)) % 256 - 128
    return values.astype(tensor.dtype).reshape(tensor.shape)


def every_value(shape=(1, 16, 16, 1)):
    """All 256 int8 values."""
    return np.arange(-128, 128).astype(np.int8).reshape(shape)


def disputed_tie(rng, factor=ONE, side=-1):
    """A numerator and a denominator for which factor * numerator / denominator is almost 3/4.

    A multiplier of 3/4 puts every other integer on a rounding tie. This one is just below 3/4 in
    double precision (just above with `side` 1), and 3/4 or beyond once the product or the quotient
    is rounded to float32: a kernel or a converter that computes it in float32 rounds the ties the
    other way. Positive integers tell a multiplier below from 3/4, negative ones a multiplier above.
    """
    while True:
        denominator = np.float32(2.0 ** rng.uniform(-6, -3))
        numerator = np.float32(0.75 * float(denominator) / float(factor))
        exact = float(factor) * float(numerator) / float(denominator)
        product = factor * numerator
        if (exact - 0.75) * side < 2e-8 or product / denominator != np.float32(0.75):
            continue
        if factor == ONE or (float(product) / float(denominator) - 0.75) * side <= 0:
            return numerator, denominator
