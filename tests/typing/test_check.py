from tests.typing.check import snippets


def test_snippets_keep_their_line_numbers():
    page = "# Title\n```python\nx = 1\n```\ntext\n```bash\nls\n```\n```python\ny = x\n```\n"
    lines = snippets(page).splitlines()
    assert {number: line for number, line in enumerate(lines, start=1) if line} == {3: "x = 1", 10: "y = x"}
