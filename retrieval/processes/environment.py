"""Decides where modules, programs and libraries may come from: never from a workspace, which is untrusted input.

The current directory gets onto the import path by `python -m` and by an empty or relative entry of PYTHONPATH, onto PATH by
an empty or relative entry, and on Windows by default. `isolate_this_process` removes it before anything else is imported,
`exclude_workspace` does the same for a workspace that is opened, and child processes get `child_environment` and
`import_path`.

What Python, the dynamic loader or a shell runs before our first line (`sitecustomize` on a PYTHONPATH that the user has
set to the workspace, an interpreter in the workspace that the user starts) cannot be undone here.

Only `os`, `sys` and `site` are imported at the top: every interpreter has imported them already.
"""

import os
import site
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

SAFE_FOLDER = os.path.dirname(os.path.abspath(__file__))  # the working directory of child processes: our own code
_PACKAGE_ROOT = os.path.dirname(os.path.dirname(SAFE_FOLDER))  # where `retrieval` and `c2llm_lsp` are
# Variables with lists of paths to code; only entries outside a workspace are passed on.
_CODE_PATH_VARIABLES = (
    "PATH", "LD_LIBRARY_PATH", "LD_AUDIT", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "DYLD_FRAMEWORK_PATH",
    "DYLD_FALLBACK_FRAMEWORK_PATH", "DYLD_INSERT_LIBRARIES", "GCONV_PATH", "OPENSSL_CONF", "OPENSSL_MODULES",
    "OPENSSL_ENGINES", "OCL_ICD_VENDORS", "OCL_ICD_FILENAMES", "VK_ICD_FILENAMES", "VK_DRIVER_FILES", "VK_LAYER_PATH",
    "PERL5LIB", "NODE_PATH", "TRITON_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR", "TORCH_EXTENSIONS_DIR", "NUMBA_CACHE_DIR",
    "CUDA_CACHE_PATH",
)  # fmt: skip
_DROPPED_PREFIXES = ("PYTHON", "GIT_")  # how to import and which repository: set explicitly for child processes
_DEFAULT_PATH = ("/usr/local/bin", "/usr/bin", "/bin")

_workspaces: "tuple[str, ...]" = ()  # replaced, never mutated: other threads read it


def isolate_this_process() -> None:
    """Remove the current directory, and the repository around it, from all search paths of this process. Call it before
    importing anything else.
    """
    current_folder = _current_folder()
    relative = [
        os.path.abspath(entry) for entry in _split(os.environ.get("PYTHONPATH", "")) if not os.path.isabs(entry)
    ]
    sys.path[:] = _without(sys.path, lambda entry: _resolved(entry) == current_folder or entry in relative)
    _clean_search_paths()
    if repository := _repository_around(current_folder):
        exclude_workspace(repository)
    if os.name == "nt":
        # Exclude it from the search for programs (CreateProcess, shutil.which since Python 3.12) and libraries as well.
        os.environ["NoDefaultCurrentDirectoryInExePath"] = "1"
        import ctypes

        ctypes.windll.kernel32.SetDllDirectoryW("")  # type: ignore[attr-defined, unused-ignore]


def exclude_workspace(workspace: str | os.PathLike[str]) -> None:
    """Prevent this process and its children from importing or running anything below this folder.

    Ignored if the folder contains the home folder: the user's own programs are there.
    """
    global _workspaces  # noqa: PLW0603
    root = _resolved(os.fspath(workspace))
    if root in _workspaces or _is_below(_resolved(os.path.expanduser("~")), root):
        return
    _workspaces = (*_workspaces, root)
    sys.path[:] = import_path()
    _clean_search_paths()


def import_path() -> list[str]:
    """`sys.path` without relative and workspace entries. Our own package stays importable even inside a workspace (a checkout
    under development), but comes last.
    """
    return _without(sys.path, in_workspace)


def in_workspace(path: str) -> bool:
    """Whether a path is inside an open workspace, with or without following links."""
    return any(_is_below(spelling, root) for root in _workspaces for spelling in (_normalized(path), _resolved(path)))


def child_environment() -> dict[str, str]:
    """The environment of a child process: the user's, without variables that would make it load code from a workspace or from
    the current directory.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(_DROPPED_PREFIXES) and name not in ("PWD", "OLDPWD")
    }
    for name in _CODE_PATH_VARIABLES:
        if name in environment and not (allowed := _allowed_entries(environment[name])):
            del environment[name]
        elif name in environment:
            environment[name] = allowed
    environment["PATH"] = os.pathsep.join(_program_folders())
    return environment


def find_program(name: str) -> str | None:
    """The absolute path of a program on PATH; empty, relative and workspace entries are skipped."""
    endings = (".exe",) if os.name == "nt" else ("",)  # no .bat or .cmd: a shell would run them
    for folder in _program_folders():
        for ending in endings:
            path = os.path.join(folder, name + ending)
            if os.path.isfile(path) and os.access(path, os.X_OK) and not in_workspace(path):
                return path
    return None


def _clean_search_paths() -> None:
    """Clean the paths that libraries search by themselves: `platform` runs `uname`, `ctypes.util` runs `ldconfig` and `gcc`."""
    os.environ["PATH"] = os.pathsep.join(_program_folders())
    cache_prefix = sys.pycache_prefix
    if cache_prefix and (not os.path.isabs(cache_prefix) or in_workspace(cache_prefix)):
        sys.pycache_prefix = None


def _program_folders() -> list[str]:
    """The allowed entries of PATH; never empty, which would mean the current directory."""
    allowed = _split(_allowed_entries(os.environ.get("PATH", "")))
    if allowed or os.name != "nt":
        return allowed or list(_DEFAULT_PATH)
    return [os.path.join(os.environ.get("SystemRoot", r"C:\Windows"), "System32")]


def _allowed_entries(value: str) -> str:
    return os.pathsep.join(entry for entry in _split(value) if os.path.isabs(entry) and not in_workspace(entry))


def _split(value: str) -> list[str]:
    return value.split(os.pathsep) if value else []


def _without(entries: "list[str]", is_excluded: "Callable[[str], bool]") -> "list[str]":
    """Absolute entries that are not excluded, and those of the interpreter itself, which may be in a workspace's `.venv`."""
    interpreter_folders = _interpreter_folders()
    allowed = [
        entry
        for entry in entries
        if os.path.isabs(entry)
        and (
            _normalized(entry) in interpreter_folders
            or _is_below(_normalized(entry), interpreter_folders[0])
            or not is_excluded(entry)
        )
    ]
    if not any(_resolved(entry) == _resolved(_PACKAGE_ROOT) for entry in allowed):
        allowed.append(_PACKAGE_ROOT)
    return allowed


def _interpreter_folders() -> "list[str]":
    """The standard library, then site-packages. Not the user site, which PYTHONUSERBASE can put anywhere."""
    return [_normalized(folder) for folder in (os.path.dirname(os.__file__), *site.getsitepackages())]


def _repository_around(folder: str) -> str:
    """The nearest folder upwards that contains `.git`; "" if there is none below the home folder."""
    home = _resolved(os.path.expanduser("~"))
    while folder and folder not in (home, os.path.dirname(folder)):
        if os.path.exists(os.path.join(folder, ".git")):
            return folder
        folder = os.path.dirname(folder)
    return ""


def _current_folder() -> str:
    try:
        return _resolved(os.getcwd())
    except OSError:  # it was deleted
        return ""


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _normalized(path: str) -> str:
    return os.path.normcase(os.path.abspath(path))


def _resolved(path: str) -> str:
    return os.path.normcase(os.path.realpath(path))
