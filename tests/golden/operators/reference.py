"""The interpreters that the golden outputs come from."""

from importlib.metadata import version

import numpy as np
from tflite_micro import runtime
from tflite_runtime.interpreter import Interpreter, OpResolverType

TFLM = "tflm"
TFLITE = "tflite"

DESCRIPTIONS = {
    TFLM: f"TensorFlow Lite Micro, reference kernels (PyPI tflite-micro {version('tflite-micro')})",
    TFLITE: "TensorFlow Lite, reference kernels: the BUILTIN_REF resolver "
    f"(PyPI tflite-runtime {version('tflite-runtime')})",
}

ARENA_BYTES = 1 << 20


def run(reference, model, vectors):
    """The outputs for each vector: a list of arrays per vector."""
    return {TFLM: _run_tflm, TFLITE: _run_tflite}[reference](model, vectors)


def _run_tflm(model, vectors):
    interpreter = runtime.Interpreter.from_bytes(model, arena_size=ARENA_BYTES)
    count = _output_count(model)
    results = []
    for inputs in vectors:
        for index, data in enumerate(inputs):
            interpreter.set_input(data, index)
        interpreter.invoke()
        results.append([np.array(interpreter.get_output(i)) for i in range(count)])
    return results


def _run_tflite(model, vectors):
    interpreter = Interpreter(
        model_content=model,
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
    )
    interpreter.allocate_tensors()
    results = []
    for inputs in vectors:
        for detail, data in zip(interpreter.get_input_details(), inputs, strict=True):
            interpreter.set_tensor(detail["index"], data)
        interpreter.invoke()
        details = interpreter.get_output_details()
        results.append([interpreter.get_tensor(d["index"]) for d in details])
    return results


def _output_count(model):
    return runtime.schema_fb.Model.GetRootAsModel(model, 0).Subgraphs(0).OutputsLength()
