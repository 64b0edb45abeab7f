"""Writes one archive of cases per family of operators; see README.md."""

import argparse
import importlib
import io
import pathlib
import sys
import zipfile

import numpy as np

HERE = pathlib.Path(__file__).parent
FAMILIES = sorted(path.stem for path in (HERE / "cases").glob("*.py"))


def archive(family):
    """The archive of a family: for each case a folder of raw files."""
    files = {}
    for case in importlib.import_module(f"cases.{family}").cases():
        if f"{case.name}/model.onnx" in files:
            raise SystemExit(f"{family}: {case.name} is there twice")
        files[f"{case.name}/model.onnx"] = case.model().SerializeToString()
        if case.refused:
            files[f"{case.name}/refused.txt"] = case.refused.encode()
            continue
        if case.tolerance:
            files[f"{case.name}/tolerance.txt"] = str(case.tolerance).encode()
        try:
            results = case.results()
        except Exception as error:
            raise SystemExit(f"{family}: {case.name}: {error}") from error
        for index, value in enumerate(case.values().values()):
            files[f"{case.name}/input_{index}.bin"] = raw(value)
        for index, value in enumerate(results):
            files[f"{case.name}/output_{index}.bin"] = raw(value)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
        for name, content in files.items():
            target.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, 9)
    return buffer.getvalue()


def raw(value):
    return np.asarray(value).astype("<f4").tobytes()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="name the files that would change")
    parser.add_argument("families", nargs="*", default=FAMILIES)
    arguments = parser.parse_args()
    changed = False
    for family in arguments.families:
        path, content = HERE / f"{family}.zip", archive(family)
        if path.exists() and path.read_bytes() == content:
            continue
        changed = True
        print(f"{path.name} {'differs' if arguments.check else 'written'}: {len(content)} bytes")
        if not arguments.check:
            path.write_bytes(content)
    sys.exit(changed and arguments.check)


if __name__ == "__main__":
    main()
