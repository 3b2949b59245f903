"""Where modules, programs and libraries may come from: never from a workspace, which is hostile input.

A current directory gets onto the import path by `python -m` and by an empty or relative entry of PYTHONPATH, onto PATH
by an empty or relative entry, and on Windows by default. So `harden` takes it off in this process before anything else
is imported, `keep_out` does the same for a workspace that is opened, and `environment_of_helpers` and `import_path` are
what other processes get.

What Python, the loader of libraries or a shell runs before our first line (`sitecustomize` on a PYTHONPATH that the user
has set to the workspace, an interpreter of the workspace that the user starts) cannot be undone here.

Only `os`, `sys` and `site`, which every interpreter has imported by now, are imported at the top.
"""

import os
import site
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

SAFE_FOLDER = os.path.dirname(os.path.abspath(__file__))  # a current directory for processes: our own code
_PACKAGE_ROOT = os.path.dirname(os.path.dirname(SAFE_FOLDER))  # where `retrieval` and `c2llm_lsp` are
# Variables that name folders or files of code: lists of paths, of which only those outside of a workspace are passed on.
_CODE_PATHS = (
    "PATH", "LD_LIBRARY_PATH", "LD_AUDIT", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "DYLD_FRAMEWORK_PATH",
    "DYLD_FALLBACK_FRAMEWORK_PATH", "DYLD_INSERT_LIBRARIES", "GCONV_PATH", "OPENSSL_CONF", "OPENSSL_MODULES",
    "OPENSSL_ENGINES", "OCL_ICD_VENDORS", "OCL_ICD_FILENAMES", "VK_ICD_FILENAMES", "VK_DRIVER_FILES", "VK_LAYER_PATH",
    "PERL5LIB", "NODE_PATH", "TRITON_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR", "TORCH_EXTENSIONS_DIR", "NUMBA_CACHE_DIR",
    "CUDA_CACHE_PATH",
)  # fmt: skip
_NOT_PASSED_ON = ("PYTHON", "GIT_")  # how to import, and whose repository: helpers are told by us
_DEFAULT_PATH = ("/usr/local/bin", "/usr/bin", "/bin")

_workspaces: "tuple[str, ...]" = ()  # replaced, never changed: other threads read it


def harden() -> None:
    """Take the current directory, and the repository around it, off all searches of this process. To be called before
    anything else is imported.
    """
    here = _folder_now()
    relative = [
        os.path.abspath(entry) for entry in _split(os.environ.get("PYTHONPATH", "")) if not os.path.isabs(entry)
    ]
    sys.path[:] = _without(sys.path, lambda entry: _real(entry) == here or entry in relative)
    _clean_this_process()
    if repository := _repository_around(here):
        keep_out(repository)
    if os.name == "nt":
        # Programs (CreateProcess, shutil.which from Python 3.12 on) and libraries are not looked for here either.
        os.environ["NoDefaultCurrentDirectoryInExePath"] = "1"
        import ctypes

        ctypes.windll.kernel32.SetDllDirectoryW("")  # type: ignore[attr-defined, unused-ignore]


def keep_out(workspace: str | os.PathLike[str]) -> None:
    """From now on nothing below this folder is imported or run by this process, nor by those that it starts.

    Not where the folder holds the home folder: a person's own programs are there.
    """
    global _workspaces  # noqa: PLW0603
    root = _real(os.fspath(workspace))
    if root in _workspaces or _is_below(_real(os.path.expanduser("~")), root):
        return
    _workspaces = (*_workspaces, root)
    sys.path[:] = import_path()
    _clean_this_process()


def import_path() -> list[str]:
    """`sys.path` without what is relative or in a workspace. Our own package is found even where it is in one (a checkout
    that is worked on), but after everything else.
    """
    return _without(sys.path, in_workspace)


def in_workspace(path: str) -> bool:
    """Whether a file or folder is in a workspace that is open, links followed or not."""
    return any(_is_below(form, root) for root in _workspaces for form in (_normal(path), _real(path)))


def environment_of_helpers() -> dict[str, str]:
    """The environment for a process of our own or of a tool: the user's, without what would make it load code from a
    workspace or from wherever the current directory happens to be.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(_NOT_PASSED_ON) and name not in ("PWD", "OLDPWD")
    }
    for name in _CODE_PATHS:
        if name in environment and not (kept := _kept(environment[name])):
            del environment[name]
        elif name in environment:
            environment[name] = kept
    environment["PATH"] = os.pathsep.join(_program_folders())
    return environment


def find_program(name: str) -> str | None:
    """The absolute path of a program on PATH; entries that are empty, relative or in a workspace are not looked at."""
    endings = (".exe",) if os.name == "nt" else ("",)  # no .bat or .cmd: they are run by a shell
    for folder in _program_folders():
        for ending in endings:
            path = os.path.join(folder, name + ending)
            if os.path.isfile(path) and os.access(path, os.X_OK) and not in_workspace(path):
                return path
    return None


def _clean_this_process() -> None:
    """What libraries look up by themselves: `platform` runs `uname`, `ctypes.util` runs `ldconfig` and `gcc`."""
    os.environ["PATH"] = os.pathsep.join(_program_folders())
    cached = sys.pycache_prefix
    if cached and (not os.path.isabs(cached) or in_workspace(cached)):
        sys.pycache_prefix = None


def _program_folders() -> list[str]:
    """PATH; never empty, which would mean the current directory."""
    kept = _split(_kept(os.environ.get("PATH", "")))
    if kept or os.name != "nt":
        return kept or list(_DEFAULT_PATH)
    return [os.path.join(os.environ.get("SystemRoot", r"C:\Windows"), "System32")]


def _kept(value: str) -> str:
    return os.pathsep.join(entry for entry in _split(value) if os.path.isabs(entry) and not in_workspace(entry))


def _split(value: str) -> list[str]:
    return value.split(os.pathsep) if value else []


def _without(entries: "list[str]", unwanted: "Callable[[str], bool]") -> "list[str]":
    """Absolute entries that are wanted, and those of the interpreter itself, which may be in a workspace's `.venv`."""
    own = _own_folders()
    kept = [
        entry
        for entry in entries
        if os.path.isabs(entry) and (_normal(entry) in own or _is_below(_normal(entry), own[0]) or not unwanted(entry))
    ]
    if not any(_real(entry) == _real(_PACKAGE_ROOT) for entry in kept):
        kept.append(_PACKAGE_ROOT)
    return kept


def _own_folders() -> "list[str]":
    """Of the standard library, then of what is installed. Not the user's own, which PYTHONUSERBASE can put anywhere."""
    return [_normal(folder) for folder in (os.path.dirname(os.__file__), *site.getsitepackages())]


def _repository_around(folder: str) -> str:
    """The nearest folder upwards that holds a `.git`; "" where there is none below the home folder."""
    home = _real(os.path.expanduser("~"))
    while folder and folder not in (home, os.path.dirname(folder)):
        if os.path.exists(os.path.join(folder, ".git")):
            return folder
        folder = os.path.dirname(folder)
    return ""


def _folder_now() -> str:
    try:
        return _real(os.getcwd())
    except OSError:  # it is gone
        return ""


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _normal(path: str) -> str:
    return os.path.normcase(os.path.abspath(path))


def _real(path: str) -> str:
    return os.path.normcase(os.path.realpath(path))
