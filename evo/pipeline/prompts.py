"""Prompts as data: one text file per prompt, ``<role>/<name>.md``, and a user's folder of the same layout.

A file is the task that ends the message: small models follow what they read last.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from evo.errors import UserError
from evo.genome.genes import Role

__all__ = ["PromptBook"]

_SHIPPED = Path(__file__).with_name("prompts")
_ROLES = tuple(role for role in Role if role.calls_model)


@dataclass(frozen=True, slots=True)
class PromptBook:
    """All prompts of a run, by role and name."""

    texts: Mapping[Role, Mapping[str, str]]

    @classmethod
    def load(cls, folder: Path | None = None) -> "PromptBook":
        """The prompts that ship with evo; those of ``folder`` are added, and win where role and name are the same.

        Raises UserError for a folder that is not there, a folder in it that is no role, and a file that is empty or not
        UTF-8.
        """
        texts = _read(_SHIPPED)
        for role, named in (_read(folder) if folder is not None else {}).items():
            texts[role] = texts[role] | named
        return cls(MappingProxyType({role: MappingProxyType(named) for role, named in texts.items()}))

    def names(self, role: Role) -> tuple[str, ...]:
        """Names of the prompts of a role, sorted; () for a role that calls no model."""
        return tuple(sorted(self.texts.get(role, {})))

    def text(self, role: Role, name: str) -> str:
        """The text of a prompt. Raises UserError, with the known names, for one that does not exist."""
        try:
            return self.texts[role][name]
        except KeyError:
            known = ", ".join(self.names(role)) or "none"
            raise UserError(f"unknown {role} prompt {name!r}: known are {known}") from None


def _read(folder: Path) -> dict[Role, dict[str, str]]:
    if not folder.is_dir():
        raise UserError(f"prompt folder {folder}: no such folder; it holds one folder per role with <name>.md files")
    roles = {str(role): role for role in _ROLES}
    for sub in sorted(folder.iterdir()):
        if sub.is_dir() and sub.name not in roles and not sub.name.startswith("."):
            raise UserError(f"prompt folder {sub}: no such role; roles with prompts are {', '.join(roles)}")
    return {role: {file.stem: _text(file) for file in sorted((folder / role).glob("*.md"))} for role in _ROLES}


def _text(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (UnicodeDecodeError, OSError) as error:
        raise UserError(f"prompt {file}: cannot be read as UTF-8 text ({error})") from None
    if not text:
        raise UserError(f"prompt {file}: is empty; write what the model has to do into it")
    return text
