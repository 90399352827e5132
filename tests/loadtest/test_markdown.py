"""Markdown that commands write: between two marks, and text that stays text."""

from pathlib import Path

import pytest

from loadtest.markdown import NoPlaceError, literal, markdown_table, write_between

BEGIN, END = "<!-- begin -->", "<!-- end -->"


def test_only_what_is_between_the_marks_changes(tmp_path: Path) -> None:
    """The text around the marks stays, also when it is written again."""
    file = tmp_path / "README.md"
    file.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    for _ in range(2):
        write_between(file, BEGIN, END, "new")
    assert file.read_text() == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"


@pytest.mark.parametrize("content", ["", BEGIN, f"{END}\n{BEGIN}"])
def test_a_file_without_both_marks_is_left_alone(content: str, tmp_path: Path) -> None:
    """Nothing is overwritten where the place isn't marked."""
    file = tmp_path / "README.md"
    file.write_text(content)
    with pytest.raises(NoPlaceError, match="expected the two lines"):
        write_between(file, BEGIN, END, "new")
    assert file.read_text() == content


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("digits-forest, 95 %", "digits-forest, 95 %"),
        ("a|b\nc", r"a\|b c"),
        ("<b>&", "&lt;b>&amp;"),
        ("[x](y) `z` *w*", r"\[x\](y) \`z\` \*w\*"),
    ],
)
def test_text_is_literal(text: str, written: str) -> None:
    """Nothing in a text is Markdown or HTML, and what is neither stays as it is."""
    assert literal(text) == written


def test_table_aligns_numbers() -> None:
    """The first column is left, the others right."""
    assert markdown_table(("a", "b"), [("x", "1")]) == "| a | b |\n| --- | ---: |\n| x | 1 |"
