"""Writes the small files of weights beside it, and for each what PyTorch itself reads from it (`expected.json`).

usage: generate.py (needs torch and safetensors)
"""
import collections, io, json, os, pickle, zipfile
import numpy as np, torch, torch.nn as nn, torch.nn.utils.prune as prune
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
torch.manual_seed(5)
expected = {}


def values(tensor):
    return [float(value) for value in tensor.detach().to(torch.float64).flatten()]


def record(name, weights):
    expected[name] = {key: {"shape": list(tensor.shape), "values": values(tensor)} for key, tensor in weights.items()}


def save(name, saved, weights=None, **options):
    torch.save(saved, os.path.join(HERE, name), **options)
    record(name, saved if weights is None else weights)


net = nn.Sequential(nn.Conv2d(1, 2, 3, bias=False), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 3))
net(torch.randn(4, 1, 4, 4))
net.eval()
state = net.state_dict()
kept = {key: tensor for key, tensor in state.items() if not key.endswith("num_batches_tracked")}

save("zip.pt", state, kept)
save("legacy.pt", state, kept, _use_new_zipfile_serialization=False)
for protocol in (3, 4, 5):
    save(f"protocol{protocol}.pt", state, kept, pickle_protocol=protocol)
save_file({key: tensor.contiguous() for key, tensor in state.items()}, os.path.join(HERE, "plain.safetensors"))
record("plain.safetensors", kept)
save_file({key: tensor.half() for key, tensor in kept.items()}, os.path.join(HERE, "half.safetensors"))
record("half.safetensors", {key: tensor.half() for key, tensor in kept.items()})

base = torch.arange(24, dtype=torch.float32)
views = {
    "whole": base,
    "offset": base[5:9],
    "transposed": base.view(4, 6).t(),
    "stepped": base[1::3],
    "permuted": base.view(2, 3, 4).permute(2, 0, 1)[1:3],
    "expanded": base[:2].view(2, 1).expand(2, 3),
    "channels_last": torch.randn(2, 3, 2, 2).to(memory_format=torch.channels_last),
    "scalar": torch.tensor(2.5),
}
save("views.pt", views)
save("views_legacy.pt", views, _use_new_zipfile_serialization=False)
types = {
    str(dtype).removeprefix("torch."): torch.tensor([0, 1, 2, 100]).to(dtype)
    for dtype in (
        torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
        torch.uint8, torch.bool, torch.uint16, torch.uint32, torch.uint64,
    )
}
save("types.pt", types)
parameters = {"a": nn.Parameter(torch.randn(2)), "b": nn.Buffer(torch.randn(2))}
save("parameters.pt", parameters)

checkpoint = {
    "epoch": 3, "loss": [0.5, 0.25], "best": 1.5, "lr": np.float64(0.1), "optimizer": {"state": {0: {"exp_avg": torch.ones(4)}}},
    "when": __import__("datetime").datetime(2026, 1, 1), "device": torch.device("cpu"), "big": 2**80,
    "model_state_dict": collections.OrderedDict(("module." + key, tensor) for key, tensor in state.items()),
}
save("checkpoint.pt", checkpoint, kept)
save("lightning.pt", {"state_dict": {"_orig_mod.module." + key: tensor for key, tensor in state.items()}, "hyper_parameters": {}}, kept)

pruned = nn.Sequential(nn.Linear(4, 3))
prune.l1_unstructured(pruned[0], "weight", 0.5)
save("pruned.pt", pruned.state_dict(), {"0.bias": pruned[0].bias, "0.weight": pruned[0].weight})

# Files that must be refused.
torch.save(net, os.path.join(HERE, "module.pt"))
torch.jit.save(torch.jit.script(nn.Sequential(nn.Linear(2, 2))), os.path.join(HERE, "torchscript.pt"))
torch.save({"a": torch.eye(3).to_sparse()}, os.path.join(HERE, "sparse.pt"))
torch.save({"a": torch.quantize_per_tensor(torch.eye(2), 0.1, 0, torch.qint8)}, os.path.join(HERE, "quantized.pt"))
torch.save({"a": torch.zeros(2, dtype=torch.complex64)}, os.path.join(HERE, "complex.pt"))
torch.save({"generator": {"w": torch.eye(2)}, "critic": {"w": torch.eye(2)}}, os.path.join(HERE, "two_networks.pt"))
torch.save({"epoch": 3}, os.path.join(HERE, "no_tensors.pt"))
torch.save({"a": torch.zeros(0, 3)}, os.path.join(HERE, "empty.pt"))


class Command:
    def __reduce__(self):
        return os.system, ("touch /tmp/secateur-must-not-exist",)


torch.save({"weight": torch.eye(2), "extra": Command()}, os.path.join(HERE, "command.pt"))
torch.save({"weight": torch.eye(2), "extra": Command()}, os.path.join(HERE, "command_legacy.pt"), _use_new_zipfile_serialization=False)

json.dump(expected, open(os.path.join(HERE, "expected.json"), "w"), separators=(",", ":"))
