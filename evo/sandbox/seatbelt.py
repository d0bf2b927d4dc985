"""The macOS tier's profile for sandbox-exec.

UNTESTED on a Mac: only its text is tested. macOS sets no limit on memory; the zygote polls it.
"""

from collections.abc import Iterable
from pathlib import Path

__all__ = ["profile"]


def profile(executable: Path, readable: Iterable[Path], scratch: Path) -> str:
    """A profile in the sandbox's own language: everything denied but one interpreter, what it reads, and scratch."""
    rules = [
        "(version 1)",
        "(deny default)",
        "(allow process-fork)",  # the zygote's; a child's own limit on processes is zero
        f"(allow process-exec (literal {_quoted(executable)}))",
        "(allow process-info* (target same-sandbox))",
        "(allow signal (target same-sandbox))",
        "(allow sysctl-read)",
        "(allow file-read-metadata)",
        '(allow file-read* file-write-data (literal "/dev/null"))',
        '(allow file-read* (literal "/dev/urandom") (subpath "/usr/lib") (subpath "/System/Library"))',
        f"(allow file-read* (literal {_quoted(executable)}))",
    ]
    rules += [f"(allow file-read* ({'subpath' if p.is_dir() else 'literal'} {_quoted(p)}))" for p in readable]
    rules.append(f"(allow file-read* file-write* (subpath {_quoted(scratch)}))")
    return "\n".join(rules)


def _quoted(path: Path) -> str:
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
