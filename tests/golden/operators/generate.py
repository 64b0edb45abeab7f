"""Writes the golden vectors of single operators and small graphs; see README.md.

python generate.py           writes every case anew
python generate.py --check   fails if what lies here differs from what would be written
"""

import argparse
import json
import sys
from pathlib import Path

import reference
from cases import all_cases

HERE = Path(__file__).parent
ORIGIN = "written by `python generate.py`; README.md explains the files and the set-up"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    files = generate()
    if parser.parse_args().check:
        sys.exit(report_differences(files))
    for path in present_files() - files.keys():
        (HERE / path).unlink()
    for path, content in files.items():
        (HERE / path).write_bytes(content)


def generate():
    """The content of every file, by name."""
    files, entries = {}, []
    for case in all_cases():
        model = case.model.serialize(case.inputs, case.outputs)
        outputs = reference.run(case.reference, model, case.vectors)
        check_outputs(case, outputs)
        name = f"{case.name}.tflite"
        if name in files:
            raise ValueError(f"two cases are called {case.name}")
        inputs = b"".join(array.tobytes() for vector in case.vectors for array in vector)
        results = b"".join(array.tobytes() for vector in outputs for array in vector)
        files[name] = model
        files[f"{case.name}.bin"] = inputs + results
        entries.append(describe(case, len(inputs)))
    files["index.json"] = index(entries)
    return files


def index(entries):
    """The index, with a line per case."""
    head = {"origin": ORIGIN, "references": reference.DESCRIPTIONS, "cases": []}
    lines = ",\n".join(f"  {json.dumps(entry)}" for entry in entries)
    text = json.dumps(head, indent=1).replace('"cases": []', f'"cases": [\n{lines}\n ]')
    return f"{text}\n".encode()


def describe(case, outputs_offset):
    """The entry of a case in the index."""
    return {
        "name": case.name,
        "operators": case.model.codes,
        "special": case.special,
        "reference": case.reference,
        "vectors": len(case.vectors),
        "inputs": [describe_tensor(tensor) for tensor in case.inputs],
        "outputs": [describe_tensor(tensor) for tensor in case.outputs],
        "outputs_offset": outputs_offset,
    }


def describe_tensor(tensor):
    return {"name": tensor.name, "dtype": tensor.dtype, "shape": list(tensor.shape)}


def check_outputs(case, outputs):
    """Holds the interpreter's outputs against the shapes and types that the case declares."""
    for arrays in outputs:
        for array, tensor in zip(arrays, case.outputs, strict=True):
            if array.shape != tuple(tensor.shape) or array.dtype != tensor.dtype:
                raise ValueError(
                    f"{case.name}: {tensor.name} is {array.dtype} {array.shape}, "
                    f"declared {tensor.dtype} {tensor.shape}"
                )


def present_files():
    return {path.name for suffix in ("tflite", "bin", "json") for path in HERE.glob(f"*.{suffix}")}


def report_differences(files):
    """Prints what differs and returns whether anything does."""
    differing = [
        name
        for name in sorted(files.keys() | present_files())
        if name not in files
        or not (HERE / name).exists()
        or (HERE / name).read_bytes() != files[name]
    ]
    for name in differing:
        print(f"differs: {name}")
    return bool(differing)


if __name__ == "__main__":
    main()
