"""Runs a type checker over the README's snippets, the examples and the annotations of the package, as `make lint` does.

tests/test_architecture.py finds what is not annotated. basedpyright is pyright with a Node.js that pip installs;
pyright itself would download one.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).parents[2]
# README.ko.md has the same snippets: tests/test_readme.py compares them.
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("saved_models/*/README.md"))]
SETTINGS = {
    "typeCheckingMode": "basic",
    # Keras and TensorFlow are not annotated. What a checker concludes from their code is wrong: from the default "auto"
    # that `compile(jit_compile=False)` is an error, and that `keras.ops` return None.
    "useLibraryCodeForTypes": False,
    "reportMissingModuleSource": False,  # of packages that have stubs and are not installed
}
# Of the package: rules about annotations. The others find what the stubs of TensorFlow leave out.
RULES_OF_SIGNATURES = (
    "reportAbstractUsage", "reportInconsistentOverload", "reportInvalidTypeArguments", "reportInvalidTypeForm",
    "reportInvalidTypeVarUse", "reportRedeclaration", "reportReturnType", "reportUndefinedVariable",
    "reportUnsupportedDunderAll",
)  # fmt: skip


def snippets(page):
    """The Python snippets of a page as one program, each line at its number in the page."""
    lines, is_python = [], False
    for line in page.splitlines():
        is_fence = line.startswith("```")
        if is_fence:
            is_python = line == "```python"
        lines.append(line if is_python and not is_fence else "")
    return "\n".join(lines) + "\n"


def pyright(project):
    """What basedpyright finds in a project, the path of a configuration."""
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(project)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode > 1:  # 1 says that there are errors of types
        sys.exit(f"basedpyright failed: {result.stdout[-2000:]}{result.stderr[-2000:]}")
    return json.loads(result.stdout)


def type_errors():
    """Lines `file:line: message` for the snippets, the examples and the annotations of the package."""
    with tempfile.TemporaryDirectory() as folder:
        sources = {}
        for page in PAGES:
            name = str(page.relative_to(ROOT))
            source = pathlib.Path(folder, re.sub(r"\W", "_", name) + ".py")
            source.write_text(snippets(page.read_text(encoding="utf-8")), encoding="utf-8")
            sources[str(source.resolve())] = name
        include = [folder, str(ROOT / "examples"), str(ROOT / "keras_transformer")]
        config = {**SETTINGS, "include": include, "extraPaths": [str(ROOT)]}
        path = pathlib.Path(folder, "pyrightconfig.json")
        path.write_text(json.dumps(config))
        found = pyright(path)
    if not found["summary"]["filesAnalyzed"]:
        sys.exit(f"basedpyright found no files: {found}")
    for error in found["generalDiagnostics"]:
        name = sources.get(error["file"]) or os.path.relpath(error["file"], ROOT)
        if name.startswith("keras_transformer") and error.get("rule") not in RULES_OF_SIGNATURES:
            continue
        yield f"{name}:{error['range']['start']['line'] + 1}: {error['message']} ({error.get('rule')})"


def main():
    errors = list(type_errors())
    print(*errors, sep="\n", end="\n" if errors else "")
    print(f"{len(errors)} errors of types")
    return bool(errors)


if __name__ == "__main__":
    sys.exit(main())
