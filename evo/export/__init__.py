"""Pipelines to take home: one Python file that needs Ollama and the standard library."""

from evo.export.file import program_text

__all__ = ["program_text"]
