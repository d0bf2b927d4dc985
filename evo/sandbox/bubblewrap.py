"""The command line of bubblewrap: own namespaces, and a file system that holds one interpreter and nothing else."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from evo.sandbox.library import PACKAGE_FOLDERS, Interpreter

__all__ = ["PROGRAM", "bubblewrap"]

PROGRAM: Final = "bwrap"
_NAMESPACES: Final = ("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try")
_LOADER_FOLDERS: Final = ("/lib", "/lib64")


def bubblewrap(
    python: Interpreter,
    inside: tuple[Path, Path],
    scratch: tuple[Path, int],
    environment: Mapping[str, str],
    *,
    as_root: bool,
) -> list[str]:
    """The command before the interpreter's own.

    inside: a folder of ours and where it appears. scratch: where it appears and its size in bytes.
    as_root: no user namespace; the zygote takes on a real unprivileged user instead, because a root that is only mapped
    is still root where the kernel compares owners, and RLIMIT_NPROC does not bind it.
    """
    words = [PROGRAM, *_NAMESPACES, "--die-with-parent", "--new-session", "--as-pid-1", "--hostname", "sandbox"]
    words += ["--cap-drop", "ALL"]
    if as_root:
        words += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        words += ["--unshare-user", "--uid", "65534", "--gid", "65534"]
    words.append("--clearenv")
    for name, value in environment.items():
        words += ["--setenv", name, value]
    folders = _outermost({python.library, *(file.parent for file in python.shared_objects), *_loader_targets()})
    files = [file for file in (python.executable, *python.readable()) if not _is_below(file, folders)]
    words += _parents((*folders, *files))
    for path in (*folders, *files):
        words += ["--dev-bind" if path.parent == Path("/dev") else "--ro-bind", str(path), str(path)]
    for folder in _package_folders(folders):
        words += ["--tmpfs", str(folder), "--remount-ro", str(folder)]
    for link in map(Path, _LOADER_FOLDERS):
        if link.is_symlink():
            words += ["--symlink", str(link.readlink()), str(link)]
    ours, appears = inside
    words += ["--perms", "0755", "--dir", str(appears.parent), "--ro-bind", str(ours), str(appears)]
    place, size = scratch
    words += ["--size", str(size), "--perms", "1777", "--tmpfs", str(place)]
    return [*words, "--remount-ro", "/", "--chdir", str(place), "--"]


def _loader_targets() -> Iterable[Path]:
    """The folders that the dynamic loader is found in, by their real names."""
    return {Path(name).resolve() for name in _LOADER_FOLDERS[1:] if Path(name).is_dir()}


def _outermost(folders: Iterable[Path]) -> list[Path]:
    """``folders`` without those that lie in another of them."""
    kept: list[Path] = []
    for folder in sorted(folders, key=lambda path: len(path.parts)):
        if not _is_below(folder, kept):
            kept.append(folder)
    return kept


def _is_below(path: Path, folders: Iterable[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def _parents(paths: Iterable[Path]) -> list[str]:
    """Make the folders above ``paths`` passable: made by bubblewrap as root they would be root's alone."""
    above = {parent for path in paths for parent in path.parents if parent != Path("/")}
    words: list[str] = []
    for folder in sorted(above):
        words += ["--perms", "0755", "--dir", str(folder)]
    return words


def _package_folders(folders: Iterable[Path]) -> list[Path]:
    """Folders of third-party packages within ``folders``."""
    return sorted(
        {
            found
            for folder in folders
            for name in PACKAGE_FOLDERS
            for pattern in (name, f"python3*/{name}")
            for found in folder.glob(pattern)
            if found.is_dir()
        }
    )
