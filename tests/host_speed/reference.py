"""Times single inferences of a model with TFLite's reference kernels, on one thread, for `main.rs`.

Started as `reference.py MODEL INPUT`. Every line read asks for one inference; the answer is its time in nanoseconds.
After the last one, a line `output` and the output's bytes in hexadecimal.
"""

import sys
import time

import numpy
from ai_edge_litert.interpreter import Interpreter, OpResolverType

model, values = sys.argv[1:]
try:
    interpreter = Interpreter(
        model_path=model, num_threads=1, experimental_op_resolver_type=OpResolverType.BUILTIN_REF
    )
    interpreter.allocate_tensors()
except (ValueError, RuntimeError) as error:
    sys.exit(str(error)[:160])
(source,) = interpreter.get_input_details()
target = interpreter.get_output_details()[0]
shaped = numpy.fromfile(values, source["dtype"]).reshape(source["shape"])
interpreter.set_tensor(source["index"], shaped)
for _ in sys.stdin:
    start = time.perf_counter_ns()
    interpreter.invoke()
    print(time.perf_counter_ns() - start, flush=True)
print("output", interpreter.get_tensor(target["index"]).tobytes().hex(), flush=True)
