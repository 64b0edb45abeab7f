"""Gemm and MatMul."""

import numpy as np
from case import Case, node, random


def gemm(name, inputs, weights, addend=None, opset=17, **attributes):
    constants = {"w": random(*weights, seed=2)}
    names = ["x", "w"]
    if addend is not None:
        constants["c"] = random(*addend, seed=3)
        names.append("c")
    return Case(name, [node("Gemm", names, **attributes)], {"x": inputs}, constants, opset=opset)


def product(name, inputs, weights, refused=""):
    return Case(name, [node("MatMul", ["x", "w"])], {"x": inputs}, {"w": random(*weights, seed=2)}, refused=refused)


def cases():
    yield gemm("gemm_plain", (1, 6), (6, 4), (4,))
    yield gemm("gemm_opset_11", (1, 6), (4, 6), (4,), opset=11, transB=1)
    yield gemm("gemm_turned_weights", (2, 6), (4, 6), (4,), transB=1)
    yield gemm("gemm_turned_input", (6, 3), (6, 4), (4,), transA=1)
    yield gemm("gemm_both_turned", (6, 3), (4, 6), (4,), transA=1, transB=1)
    yield gemm("gemm_alpha", (2, 6), (6, 4), (4,), alpha=0.5)
    yield gemm("gemm_beta", (2, 6), (6, 4), (4,), beta=2.0)
    yield gemm("gemm_alpha_beta", (2, 6), (4, 6), (1, 4), alpha=-1.5, beta=0.25, transB=1)
    yield gemm("gemm_beta_0", (2, 6), (6, 4), (4,), beta=0.0)
    yield gemm("gemm_no_bias", (2, 6), (6, 4))
    yield gemm("gemm_bias_row", (2, 6), (6, 4), (1, 4))
    yield gemm("gemm_bias_column", (2, 6), (6, 4), (2, 1))
    yield gemm("gemm_bias_matrix", (2, 6), (6, 4), (2, 4))
    yield gemm("gemm_bias_scalar", (2, 6), (6, 4), ())
    yield gemm("gemm_bias_one", (2, 6), (6, 4), (1,))
    yield Case("gemm_bias_computed", [node("Gemm", ["x", "w", "c"], transB=1)], {"x": (2, 6), "c": (4,)},
               {"w": random(4, 6)})
    yield product("matrix_times_matrix", (2, 6), (6, 4))
    yield product("row_times_matrix", (1, 6), (6, 4))
    yield product("vector_times_matrix", (6,), (6, 4))
    yield product("rank_3_times_matrix", (1, 5, 6), (6, 4))
    yield product("rank_4_times_matrix", (1, 2, 5, 6), (6, 4))
    yield product("matrix_times_vector", (2, 6), (6,))
    yield product("rank_3_times_vector", (2, 3, 6), (6,))
    yield product("vector_times_vector", (6,), (6,))
    yield product("rank_3_times_batch_of_one", (2, 5, 6), (1, 6, 4))
    yield product("matrix_times_batch_of_one", (5, 6), (1, 6, 4))
    yield product("times_batch", (2, 5, 6), (2, 6, 4), refused="a batch of matrices is not supported")
    yield Case("weights_left", [node("MatMul", ["w", "x"])], {"x": (6, 3)}, {"w": random(4, 6)})
    yield Case("two_activations", [node("MatMul", ["x", "z"])], {"x": (2, 3), "z": (3, 2)},
               refused="the second matrix is computed by the network")
    yield Case("weights_turned_by_node", [node("Transpose", ["w"], ["t"], perm=[1, 0]), node("MatMul", ["x", "t"])],
               {"x": (2, 6)}, {"w": random(4, 6)})
    yield Case("weights_in_half_precision", [node("Cast", ["w"], ["t"], to=1), node("MatMul", ["x", "t"])],
               {"x": (2, 6)}, {"w": random(6, 4).astype(np.float16)})
    yield Case("weights_in_double_precision", [node("Cast", ["w"], ["t"], to=1), node("MatMul", ["x", "t"])],
               {"x": (2, 6)}, {"w": random(6, 4).astype(np.float64)})
