"""Every snippet of the README runs, one after the other as a reader would run them."""

import gzip
import os
import pathlib
import re
import shlex
import subprocess
import sys

import pytest

from keras_transformer.cli import evaluate, main, train
from tests import made_data

ROOT = pathlib.Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(text, language):
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_the_python_snippets_run(tmp_path):
    (tmp_path / "saved_models").symlink_to(ROOT / "saved_models")
    sources, targets = made_data.pairs(300)
    # Real text has enough different words for the README's vocabulary size; SentencePiece takes fewer.
    for name, lines in (("train.en.gz", sources), ("train.de.gz", targets)):
        (tmp_path / name).write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))
    # In a process of their own, which gives the memory of the paper's model back. They run word for word; what they
    # train has one narrow layer, and sees few pairs.
    small = "from keras_transformer.models import PRESETS\nPRESETS['tiny'].update(num_layers=1, intermediate_dim=32)"
    (tmp_path / "snippets.py").write_text("\n".join([small, *blocks(README, "python")]), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))}
    process = subprocess.run(
        [sys.executable, "snippets.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    assert "63,082,496" in process.stdout
    assert (tmp_path / "exported" / "translator" / "1" / "saved_model.pb").exists()


def test_the_commands_parse(monkeypatch):
    """The commands of the shell snippets are ours, with options that exist."""
    others = [*ROOT.glob("docs/*.md"), *ROOT.glob("saved_models/*/README.md"), *ROOT.glob("examples/*/README.md")]
    texts = [README, *(path.read_text(encoding="utf-8") for path in others)]
    lines = "\n".join(block for text in texts for block in blocks(text, "bash")).replace("\\\n", " ").splitlines()
    commands = [shlex.split(line)[1:] for line in lines if re.match(r"(\.venv/bin/)?keras-transformer ", line)]
    assert len(commands) >= 3
    kinds = ("embedder", "pair_scorer", "question_answerer", "translator")
    trainings = [getattr(train, f"train_{kind}") for kind in kinds]
    measures = [getattr(evaluate, f"evaluate_{kind}") for kind in kinds]
    commands_alone = main.attention, main.convert, main.demo, main.distill, main.embed, main.export
    commands_alone += main.index, main.mine, main.score, main.search, main.translate
    for module in (*commands_alone, *trainings, *measures):
        monkeypatch.setattr(module, "run", lambda args: None)
        monkeypatch.setattr(module, "check", lambda args: None)
    for command in commands:
        assert main.main(command) == 0
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for line in lines:
        if line.startswith("make "):
            assert line.split()[1] in targets


@pytest.mark.parametrize("language", ["python", "bash"])
def test_the_korean_readme_has_the_same_snippets(language):
    korean = (ROOT / "README.ko.md").read_text(encoding="utf-8")
    assert blocks(korean, language) == blocks(README, language)


def test_links_to_files_exist():
    for name in ("README.md", "README.ko.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^)#]+)\)", text):
            assert link.startswith("https://") or (ROOT / link).exists(), f"{name}: {link}"
