import pytest

from keras_transformer.convert.flat_yaml import read_flat_yaml


def test_scalars_and_lists():
    text = "---\n# a comment\ntype: transformer\nempty:\nlist:\n  - 10\n  - 'b'\ntop:\n- x\n"
    text += "inline: [a, b]\nnone:\n  []\n...\n"
    assert read_flat_yaml(text, "here") == {
        "type": "transformer",
        "empty": "",
        "list": ["10", "b"],
        "top": ["x"],
        "inline": ["a", "b"],
        "none": [],
    }


def test_keys_of_every_kind():
    text = "\n".join(
        [
            "▁the: 0", r'"\"": 1', "'it''s': 2", "'': 3", "▁:: 4", r'"\u6f22\x41\U0001f600\n": 5', "漢: 6", '"a: b": 7',
            '"#": 8', "\u2028x: 9",
        ]
    )  # fmt: skip
    wanted = ["▁the", '"', "it's", "", "▁:", "漢A😀\n", "漢", "a: b", "#", "\u2028x"]
    assert read_flat_yaml(text, "here") == {key: str(i) for i, key in enumerate(wanted)}


@pytest.mark.parametrize("line", ["no colon", "'open: 3", '"a" b: 3'])
def test_other_lines(line):
    with pytest.raises(ValueError, match="Expected a line of YAML, key: value. Received: .* .here, line 2."):
        read_flat_yaml(f"a: 1\n{line}\n", "here")
