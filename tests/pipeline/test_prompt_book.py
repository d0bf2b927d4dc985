"""PromptBook: what ships, what a user adds, and what is said about a faulty folder."""

from pathlib import Path

import pytest

from evo.errors import UserError
from evo.genome.genes import Role
from evo.pipeline import PromptBook


def test_the_shipped_prompts() -> None:
    book = PromptBook.load()
    assert book.names(Role.GENERATOR) == ("careful", "examples", "plain")
    assert book.names(Role.ANALYZER) == ("cause", "trace")
    assert book.names(Role.REFINER) == ("fix", "minimal", "rewrite")
    assert book.names(Role.PLANNER) == ("steps",)
    assert book.names(Role.TESTER) == ("asserts",)
    assert book.names(Role.EXECUTOR) == ()
    texts = [book.text(role, name) for role in Role for name in book.names(role)]
    assert len(set(texts)) == 10
    assert all(10 <= len(text.split()) <= 60 and text == text.strip() for text in texts)


def test_a_users_folder_adds_and_overrides(tmp_path: Path) -> None:
    (tmp_path / "refiner").mkdir()
    (tmp_path / "refiner" / "fix.md").write_text("Mend it.\n")
    (tmp_path / "refiner" / "pirate.md").write_text("Arr.")
    (tmp_path / "README.md").write_text("not a role")
    book = PromptBook.load(tmp_path)
    assert book.text(Role.REFINER, "fix") == "Mend it."
    assert book.names(Role.REFINER) == ("fix", "minimal", "pirate", "rewrite")
    assert book.names(Role.GENERATOR) == PromptBook.load().names(Role.GENERATOR)


def test_an_unknown_prompt_names_role_name_and_the_known_ones() -> None:
    with pytest.raises(UserError, match=r"unknown refiner prompt 'nope': known are fix, minimal, rewrite"):
        PromptBook.load().text(Role.REFINER, "nope")


def test_faulty_folders_get_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder"):
        PromptBook.load(tmp_path / "missing")
    (tmp_path / "refiners").mkdir()
    with pytest.raises(
        UserError, match=r"refiners: no such role; roles with prompts are planner, generator, tester, analyzer, ref"
    ):
        PromptBook.load(tmp_path)
    (tmp_path / "refiners").rename(tmp_path / "refiner")
    (tmp_path / "refiner" / "empty.md").write_text(" \n")
    with pytest.raises(UserError, match=r"empty\.md: is empty"):
        PromptBook.load(tmp_path)
    (tmp_path / "refiner" / "empty.md").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(UserError, match=r"empty\.md: cannot be read as UTF-8"):
        PromptBook.load(tmp_path)
