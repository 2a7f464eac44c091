"""Writes the page with encoders, the vectors of the sentences and MediaPipe's runtime, for any web server.

python examples/browser/build.py --runtime node_modules/@mediapipe/tasks-text --out page

`make browser` fetches the runtime and runs this. docs/browser.md tells more.
"""

# `sentences` and `averaging_encoder` lie beside this file.
# pyright: reportMissingImports=false

import argparse
import json
import os
import pathlib
import shutil

import sentences
from averaging_encoder import of_saved_model

import keras_transformer
from keras_transformer.atomic import making_folder
from keras_transformer.data import read_lines

HERE = pathlib.Path(__file__).resolve().parent
SHIPPED = HERE.parents[1] / "saved_models"
# Name, languages, file. The page takes the first one if it is not told another.
MODELS = [
    ["multilingual", "en,ko", str(SHIPPED / "sentence_encoder_multilingual" / "1")],
    ["english", "en", str(SHIPPED / "sentence_encoder_lite_en" / "2")],
]
PAGE = ("index.html", "style.css", "page.js", "labels.js", "search.js")
# Of the package: for browsers with vector instructions and without.
RUNTIME = (
    "text_bundle.mjs",
    "wasm/text_wasm_internal.js",
    "wasm/text_wasm_internal.wasm",
    "wasm/text_wasm_nosimd_internal.js",
    "wasm/text_wasm_nosimd_internal.wasm",
)


def read_sentences(path: str | None) -> dict[str, list[str]]:
    """{language: its sentences}. Those of one line say the same."""
    if path is None:
        return dict(zip(("en", "ko"), map(list, zip(*sentences.made()))))
    languages, *rows = (line.split("\t") for line in read_lines(path))
    if bad := next((row for row in rows if len(row) != len(languages)), None):
        raise ValueError(f"Expected columns {languages}, as the first line of {path} names them. Received: {bad}")
    return dict(zip(languages, map(list, zip(*rows))))


def write_model(model: str, path: pathlib.Path, dtype: str) -> None:
    """An encoder as a file of LiteRT: such a file, a .keras file, or an averaging encoder of saved_models/."""
    if model.endswith(".tflite"):
        shutil.copyfile(model, path)
        return
    is_saved_model = os.path.exists(os.path.join(model, "saved_model.pb"))
    embedder = of_saved_model(model) if is_saved_model else keras_transformer.load(model)
    embedder.export(path, format="litert", dtype=dtype)


def write_page(out: str, runtime: str, models: list[list[str]], texts: dict[str, list[str]], dtype: str) -> None:
    """Writes the folder."""
    settings = {"sentences": "sentences.json", "models": []}
    with making_folder(out) as unfinished:
        folder = pathlib.Path(unfinished)
        (folder / "runtime" / "wasm").mkdir(parents=True)
        (folder / "models").mkdir()
        for name in PAGE:
            shutil.copyfile(HERE / name, folder / name)
        for name in RUNTIME:
            shutil.copyfile(os.path.join(runtime, name), folder / "runtime" / name)
        for name, languages, model in models:
            path = folder / "models" / f"{name}.tflite"
            write_model(model, path, dtype)
            embedder, vectors = keras_transformer.load(path), {}
            for language in languages.split(","):
                vectors[language] = f"models/{name}.{language}.f32"
                embedder.embed(texts[language]).astype("<f4").tofile(folder / vectors[language])
            entry = {"name": name, "file": f"models/{name}.tflite", "bytes": path.stat().st_size}
            settings["models"].append({**entry, "dim": embedder.output_dim, "vectors": vectors})
        for name, content in (("sentences.json", texts), ("settings.json", settings)):
            (folder / name).write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runtime", required=True, help="folder of the npm package @mediapipe/tasks-text")
    parser.add_argument("--out", required=True, help="folder to make")
    parser.add_argument(
        "--model",
        nargs=3,
        action="append",
        metavar=("NAME", "LANGUAGES", "PATH"),
        help="an encoder, as: english en encoder.tflite; several for several; by default those of saved_models/",
    )
    parser.add_argument("--sentences", help="tab-separated; the first line has the languages, as en and ko")
    parser.add_argument("--dtype", default="int8", choices=["float32", "float16", "int8"])
    args = parser.parse_args()
    models, texts = args.model or MODELS, read_sentences(args.sentences)
    for name, languages, _ in models:
        if missing := set(languages.split(",")) - set(texts):
            raise SystemExit(
                f"Expected languages of the sentences, {', '.join(texts)}, for {name}. Received: {missing}"
            )
    write_page(args.out, args.runtime, models, texts, args.dtype)
    for path in sorted(pathlib.Path(args.out).rglob("*")):
        if path.is_file():
            print(f"{path.stat().st_size / 1e3:9,.1f} kB  {path.relative_to(args.out)}")


if __name__ == "__main__":
    main()
