"""Writes `layers.json`: small networks in TOML, their weights, an input and what PyTorch computes from it.

usage: generate_layers.py (needs torch)
"""
import json, os
import torch, torch.nn as nn, torch.nn.functional as F

torch.manual_seed(11)
cases = []


def short(tensor):
    """Values that a few digits state exactly."""
    return (tensor * 32).round() / 32


def case(name, shape, layers, forward, top="", integers=None, **modules):
    modules = nn.ModuleDict(modules).eval()
    for key, tensor in modules.state_dict().items():
        if tensor.is_floating_point():
            fresh = torch.rand_like(tensor) + 0.5 if key.endswith("running_var") else torch.randn_like(tensor) * 0.5
            tensor.copy_(short(fresh))
    x = torch.randint(0, integers, [1, *shape]) if integers else short(torch.randn(1, *shape) * 2)
    with torch.no_grad():
        y = forward(x, *modules.values())
    weights = {
        key: {"shape": list(tensor.shape), "values": tensor.flatten().tolist()}
        for key, tensor in modules.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    lines = "\n".join(f"  {line}," for line in layers)
    cases.append({
        "name": name,
        "description": f"{top}input = {list(shape)}\nlayer = [\n{lines}\n]\n",
        "weights": weights,
        "input": x.flatten().tolist(),
        "shape": list(y.shape),
        "output": [float(f"{value:.7g}") for value in y.flatten().tolist()],
    })


def one(name, shape, layer, module):
    """A case of one module, named `m` in the state dict."""
    case(name, shape, [layer], lambda x, m: m(x), m=module)


def function(name, shape, layers, forward):
    case(name, shape, layers, lambda x: forward(x))


image, odd = (3, 6, 5), (4, 7, 6)
one("convolution", image, "{ kind = 'conv2d', weights = 'm', stride = [2, 1], padding = [1, 2] }", nn.Conv2d(3, 4, (3, 2), (2, 1), (1, 2)))
one("convolution, groups", odd, "{ kind = 'conv2d', weights = 'm', groups = 2, dilation = 2 }", nn.Conv2d(4, 6, 2, groups=2, dilation=2))
one("convolution, same", image, "{ kind = 'conv2d', weights = 'm', padding = 'same' }", nn.Conv2d(3, 2, (4, 3), padding="same", bias=False))
one("depthwise", odd, "{ kind = 'conv2d', weights = 'm', groups = 4, padding = 1, stride = 2 }", nn.Conv2d(4, 4, 3, 2, 1, groups=4))
one("depthwise, multiplier", odd, "{ kind = 'conv2d', weights = 'm', groups = 4 }", nn.Conv2d(4, 8, (3, 2), groups=4))
one("convolution of sequences", (3, 9), "{ kind = 'conv1d', weights = 'm', stride = 2, padding = 1, dilation = 2 }", nn.Conv1d(3, 4, 3, 2, 1, 2))
one("depthwise of sequences", (3, 9), "{ kind = 'conv1d', weights = 'm', groups = 3, padding = 'same' }", nn.Conv1d(3, 3, 4, groups=3, padding="same"))
one("transposed convolution", image, "{ kind = 'conv_transpose2d', weights = 'm', stride = 2, padding = 1, output_padding = 1 }", nn.ConvTranspose2d(3, 2, 3, 2, 1, 1))
one("transposed convolution, oblong", image, "{ kind = 'conv_transpose2d', weights = 'm', stride = [1, 2] }", nn.ConvTranspose2d(3, 2, (2, 3), (1, 2), bias=False))
one("transposed convolution of sequences", (3, 5), "{ kind = 'conv_transpose1d', weights = 'm', stride = 3, padding = 1 }", nn.ConvTranspose1d(3, 2, 4, 3, 1))
one("linear", (6,), "{ kind = 'linear', weights = 'm' }", nn.Linear(6, 4))
one("linear on the last axis", (3, 6), "{ kind = 'linear', weights = 'm' }", nn.Linear(6, 4, bias=False))
one("linear on images", image, "{ kind = 'linear', weights = 'm' }", nn.Linear(5, 2))
one("batch normalization", image, "{ kind = 'batch_norm2d', weights = 'm', eps = 0.01 }", nn.BatchNorm2d(3, eps=0.01))
one("batch normalization, not affine", image, "{ kind = 'batch_norm2d', weights = 'm', affine = false }", nn.BatchNorm2d(3, affine=False))
one("batch normalization of features", (6,), "{ kind = 'batch_norm1d', weights = 'm' }", nn.BatchNorm1d(6))
one("batch normalization of sequences", (3, 5), "{ kind = 'batch_norm1d', weights = 'm' }", nn.BatchNorm1d(3))
one("prelu", image, "{ kind = 'prelu', weights = 'm' }", nn.PReLU(3))
one("prelu, one slope", (6,), "{ kind = 'prelu', weights = 'm' }", nn.PReLU())
case("embedding", (5,), ["{ kind = 'embedding', weights = 'm' }"], lambda x, m: m(x), "input_type = 'int32'\n", 7, m=nn.Embedding(7, 3))
case("words", (6,), ["{ kind = 'embedding', weights = 'm' }", "{ kind = 'permute', dims = [0, 2, 1] }", "{ kind = 'conv1d', weights = 'c' }", "'relu'", "{ kind = 'amax', dim = 2 }"],
     lambda x, m, c: F.relu(c(m(x).permute(0, 2, 1))).amax(2), "input_type = 'int32'\n", 7, m=nn.Embedding(7, 3), c=nn.Conv1d(3, 4, 3))

function("maximum pool", odd, ["{ kind = 'max_pool2d', kernel_size = 2 }"], lambda x: F.max_pool2d(x, 2))
function("maximum pool, padded", odd, ["{ kind = 'max_pool2d', kernel_size = 3, stride = 2, padding = 1 }"], lambda x: F.max_pool2d(x, 3, 2, 1))
function("maximum pool, ceil mode", odd, ["{ kind = 'max_pool2d', kernel_size = [2, 3], stride = 2, ceil_mode = true }"], lambda x: F.max_pool2d(x, (2, 3), 2, ceil_mode=True))
function("maximum pool, ceil mode and padding", (2, 3, 3), ["{ kind = 'max_pool2d', kernel_size = 2, stride = 2, padding = 1, ceil_mode = true }"], lambda x: F.max_pool2d(x, 2, 2, 1, ceil_mode=True))
function("average pool", odd, ["{ kind = 'avg_pool2d', kernel_size = 3, stride = 2, padding = 1 }"], lambda x: F.avg_pool2d(x, 3, 2, 1))
function("average pool, padding left out", odd, ["{ kind = 'avg_pool2d', kernel_size = 3, stride = 2, padding = 1, count_include_pad = false }"], lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False))
function("average pool, ceil mode", odd, ["{ kind = 'avg_pool2d', kernel_size = 3, stride = 2, ceil_mode = true }"], lambda x: F.avg_pool2d(x, 3, 2, ceil_mode=True))
function("average pool, ceil mode, padding left out", odd, ["{ kind = 'avg_pool2d', kernel_size = 3, stride = 2, padding = 1, ceil_mode = true, count_include_pad = false }"], lambda x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False))
function("maximum pool of sequences", (3, 9), ["{ kind = 'max_pool1d', kernel_size = 3, stride = 2 }"], lambda x: F.max_pool1d(x, 3, 2))
function("average pool of sequences", (3, 9), ["{ kind = 'avg_pool1d', kernel_size = 2, padding = 1 }"], lambda x: F.avg_pool1d(x, 2, padding=1))
function("global average", image, ["{ kind = 'adaptive_avg_pool2d', output_size = 1 }", "'flatten'"], lambda x: x.mean((2, 3)))
function("adaptive average", (2, 6, 4), ["{ kind = 'adaptive_avg_pool2d', output_size = [3, 2] }"], lambda x: F.adaptive_avg_pool2d(x, (3, 2)))
function("adaptive maximum", (2, 6, 4), ["{ kind = 'adaptive_max_pool2d', output_size = 2 }"], lambda x: F.adaptive_max_pool2d(x, 2))
function("global maximum of sequences", (3, 9), ["{ kind = 'adaptive_max_pool1d', output_size = 1 }"], lambda x: F.adaptive_max_pool1d(x, 1))

for kind, attributes, f in [
    ("relu", "", F.relu), ("relu6", "", F.relu6), ("hardswish", "", F.hardswish), ("hardsigmoid", "", F.hardsigmoid),
    ("sigmoid", "", torch.sigmoid), ("tanh", "", torch.tanh), ("silu", "", F.silu), ("gelu", "", F.gelu),
    ("gelu", ", approximate = 'tanh'", lambda x: F.gelu(x, approximate="tanh")), ("hardtanh", "", F.hardtanh),
    ("hardtanh", ", min_val = -2, max_val = 0.5", lambda x: F.hardtanh(x, -2, 0.5)), ("clamp", ", min = -0.5", lambda x: x.clamp(min=-0.5)),
    ("leaky_relu", ", negative_slope = 0.2", lambda x: F.leaky_relu(x, 0.2)), ("elu", ", alpha = 0.5", lambda x: F.elu(x, 0.5)),
    ("mul", ", value = 1.5", lambda x: x * 1.5), ("dropout", ", p = 0.5", lambda x: x),
]:
    function(kind + attributes, (2, 3, 4), [f"{{ kind = '{kind}'{attributes} }}"], f)

for dim, shape in [(1, (6,)), (1, (3, 2, 4)), (2, (3, 2, 4)), (-1, (3, 2, 4)), (1, (3, 5))]:
    function(f"softmax {dim} {shape}", shape, [f"{{ kind = 'softmax', dim = {dim} }}"], lambda x: F.softmax(x, dim))
    function(f"log_softmax {dim} {shape}", shape, [f"{{ kind = 'log_softmax', dim = {dim} }}"], lambda x: F.log_softmax(x, dim))

function("flatten", image, ["'flatten'"], lambda x: x.flatten(1))
function("flatten, part", image, ["{ kind = 'flatten', start_dim = 2 }"], lambda x: x.flatten(2))
function("reshape", image, ["{ kind = 'reshape', shape = [1, 5, -1] }"], lambda x: x.reshape(1, 5, -1))
function("permute", image, ["{ kind = 'permute', dims = [0, 3, 1, 2] }"], lambda x: x.permute(0, 3, 1, 2))
function("squeeze", (3, 1, 4), ["{ kind = 'squeeze', dim = 2 }", "{ kind = 'unsqueeze', dim = -1 }"], lambda x: x.squeeze(2).unsqueeze(-1))
function("mean", image, ["{ kind = 'mean', dim = [2, 3], keepdim = true }"], lambda x: x.mean((2, 3), keepdim=True))
function("sum", image, ["{ kind = 'sum', dim = 1 }"], lambda x: x.sum(1))
function("maximum", image, ["{ kind = 'amax', dim = -1 }"], lambda x: x.amax(-1))
function("pad", image, ["{ kind = 'pad', padding = [0, 1, 2, 0], value = 0.5 }"], lambda x: F.pad(x, (0, 1, 2, 0), value=0.5))
function("pad channels", image, ["{ kind = 'pad', padding = [0, 0, 0, 0, 1, 2] }"], lambda x: F.pad(x, (0, 0, 0, 0, 1, 2)))
function("pad sequences", (3, 4), ["{ kind = 'zero_pad1d', padding = 2 }"], lambda x: F.pad(x, (2, 2)))
function("nearest", image, ["{ kind = 'upsample', scale_factor = 2 }"], lambda x: F.interpolate(x, scale_factor=2))
function("nearest, smaller", image, ["{ kind = 'interpolate', size = [4, 3] }"], lambda x: F.interpolate(x, (4, 3)))
function("bilinear", image, ["{ kind = 'upsample', scale_factor = [1.5, 2], mode = 'bilinear' }"], lambda x: F.interpolate(x, scale_factor=(1.5, 2), mode="bilinear"))
function("bilinear, corners", image, ["{ kind = 'upsample', size = [11, 9], mode = 'bilinear', align_corners = true }"], lambda x: F.interpolate(x, (11, 9), mode="bilinear", align_corners=True))

# Changes of order between layers.
conv = "{ kind = 'conv2d', weights = 'a', padding = 1 }"
c = lambda: nn.Conv2d(3, 4, 3, padding=1)
for name, layers, forward, extra in [
    ("convolution, flatten, linear", ["'flatten'", "{ kind = 'linear', weights = 'b' }"], lambda x, a, b: b(a(x).flatten(1)), {"b": nn.Linear(120, 2)}),
    ("convolution, view, linear", ["'relu'", "{ kind = 'view', shape = [1, -1] }", "'dropout'", "{ kind = 'linear', weights = 'b' }"], lambda x, a, b: b(F.relu(a(x)).view(1, -1)), {"b": nn.Linear(120, 2)}),
    ("convolution, flatten, relu, linear", ["'flatten'", "'relu'", "{ kind = 'linear', weights = 'b' }"], lambda x, a, b: b(F.relu(a(x).flatten(1))), {"b": nn.Linear(120, 2)}),
    ("convolution, flatten", ["'flatten'"], lambda x, a: a(x).flatten(1), {}),
    ("convolution, permute", ["{ kind = 'permute', dims = [0, 2, 3, 1] }"], lambda x, a: a(x).permute(0, 2, 3, 1), {}),
    ("convolution, reshape, softmax", ["{ kind = 'reshape', shape = [1, 4, 30] }", "{ kind = 'softmax', dim = 2 }"], lambda x, a: F.softmax(a(x).reshape(1, 4, 30), 2), {}),
    ("convolution, linear on the last axis", ["{ kind = 'linear', weights = 'b' }"], lambda x, a, b: b(a(x)), {"b": nn.Linear(5, 2)}),
    ("convolution, concatenation of channels", ["{ kind = 'concat', from = ['a', 'input'] }"], lambda x, a: torch.cat([a(x), x], 1), {}),
    ("convolution, concatenation of columns", ["{ kind = 'cat', from = ['a', 'a'], dim = -1 }"], lambda x, a: torch.cat([a(x), a(x)], 3), {}),
    ("convolution, concatenation of rows", ["{ kind = 'cat', from = ['a', 'a'], dim = 2 }"], lambda x, a: torch.cat([a(x), a(x)], 2), {}),
    ("squeeze and excite", ["{ kind = 'adaptive_avg_pool2d', output_size = 1 }", "{ kind = 'conv2d', weights = 'b' }", "{ kind = 'sigmoid', name = 's' }", "{ kind = 'mul', from = ['a', 's'] }"],
     lambda x, a, b: a(x) * torch.sigmoid(b(F.adaptive_avg_pool2d(a(x), 1))), {"b": nn.Conv2d(4, 4, 1)}),
    ("squeeze and excite by linear layers", ["{ kind = 'mean', dim = [2, 3] }", "{ kind = 'linear', weights = 'b' }", "'sigmoid'", "{ kind = 'reshape', shape = [1, 4, 1, 1], name = 's' }", "{ kind = 'mul', from = ['a', 's'] }"],
     lambda x, a, b: a(x) * torch.sigmoid(b(a(x).mean((2, 3)))).view(1, 4, 1, 1), {"b": nn.Linear(4, 4)}),
    ("residual", ["'relu'", "{ kind = 'conv2d', weights = 'b', padding = 1, name = 'c' }", "{ kind = 'add', from = ['c', 'a', 'a'] }"], lambda x, a, b: b(F.relu(a(x))) + a(x) + a(x), {"b": nn.Conv2d(4, 4, 3, padding=1)}),
    ("a layer twice", ["{ kind = 'conv2d', weights = 'b', padding = 1 }", "'relu'", "{ kind = 'conv2d', weights = 'b', padding = 1 }"], lambda x, a, b: b(F.relu(b(a(x)))), {"b": nn.Conv2d(4, 4, 3, padding=1)}),
    ("broadcasting of another rank", ["{ kind = 'mean', dim = [0, 1, 2], name = 'm' }", "{ kind = 'sub', from = ['a', 'm'] }"], lambda x, a: a(x) - a(x).mean((0, 1, 2)), {}),
]:
    case(name, image, [conv, *layers], forward, a=c(), **extra)
case("sequences, flatten, linear", (3, 8), ["{ kind = 'conv1d', weights = 'a' }", "{ kind = 'max_pool1d', kernel_size = 2 }", "'flatten'", "{ kind = 'linear', weights = 'b' }"],
     lambda x, a, b: b(F.max_pool1d(a(x), 2).flatten(1)), a=nn.Conv1d(3, 4, 3), b=nn.Linear(12, 5))
case("sequences, linear on the last axis", (3, 8), ["{ kind = 'conv1d', weights = 'a' }", "'tanh'", "{ kind = 'linear', weights = 'b' }"],
     lambda x, a, b: b(torch.tanh(a(x))), a=nn.Conv1d(3, 4, 3), b=nn.Linear(6, 5))

text = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "layers.json"), "w").write(f"[\n{text}\n]\n")
print(len(cases), "cases")
