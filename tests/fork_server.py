"""Starts Python programs by forking a process that has imported their libraries: a start costs 0.02 s of CPU instead of 0.5 to 2.

A forked program is a process like any other: arguments, environment, directory, streams, signals and exit code are its own, and
it is a child of the process that asked for it. It waits longer than the product does, unless C2LLM_TEST_IMPATIENT is set (see
patience.py). What it does not show is what a start imports, and how an interpreter starts:
`tests/cli/test_startup.py` and whatever passes options to the interpreter start a real one.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import io
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from tests import patience

CHECKOUT = Path(__file__).parents[1]
# None of these starts a thread (onnxruntime does) or reads the environment (typer.rich_utils does): the server checks the first.
LIBRARIES = """
    numpy tokenizers sqlite3 typer rich.console rich.markdown rich.progress rich.table rich.syntax pygls.lsp.server
    lsprotocol.types msgspec watchdog.observers filelock psutil tree_sitter httpx2 importlib.metadata retrieval.engine
    retrieval.encoders.onnx retrieval.encoders.token_overlap retrieval.rag c2llm_lsp.cli.app c2llm_lsp.server.app
    mcp mcp.server mcp.server.stdio retrieval.encoders.remote
    retrieval.model.checkpoint c2llm_lsp.server.transport.admission c2llm_lsp.embeddings_server.run_server
""".split()
TORCH = (
    "torch transformers transformers.models.qwen2.modeling_qwen2 safetensors retrieval.training.trainer".split()
)  # in another server, for the commands that need them
_TORCH_COMMANDS = ("adapt", "doctor", "evaluate", "model", "train")
# What only a new interpreter obeys.
_INTERPRETER = ("PYTHON", "LANG", "LC_", "LD_", "MALLOC_")
# What huggingface_hub reads when it is imported: by the server with torch, and by no library of the other one.
_HUB = ("HF_", "HUGGINGFACE_")
# Tests run in several processes: torch's and OpenBLAS's threads would only wait for each other.
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
_OBEYED = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONUNBUFFERED")
_PR_SET_CHILD_SUBREAPER = 36
_Popen = subprocess.Popen  # also where a test has put `popen` in its place


def popen(command: list[str], *, uses_torch: bool = False, **options: Any) -> subprocess.Popen[Any]:
    """`subprocess.Popen` of a command; forked where it is `python -m MODULE …` or `python FILE …` and nothing asks for more.

    `uses_torch`: it is a program of a test that imports it; of ours that is known.
    """
    if not can_fork(command, options):
        return _Popen(command, **options)
    return (TorchProcess if uses_torch else ForkedProcess)(command, **options)


def run(command: list[str], *, input: bytes, timeout: float, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """`subprocess.run` with captured output."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with popen(command, **pipes, **options) as process:
        try:
            out, err = process.communicate(input, timeout)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def default_sigint() -> None:
    """What is started in the background of a shell ignores Ctrl-C, and so would all that it starts; for `preexec_fn`."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def can_fork(command: list[str], options: dict[str, Any]) -> bool:
    environ = options.get("env") or os.environ
    return (
        sys.platform == "linux"
        and command[0] == sys.executable
        and (command[1] == "-m" or not command[1].startswith("-"))
        and options.get("preexec_fn") in (None, default_sigint)
        and _of_interpreter(environ) == _of_interpreter(child_environment())
        and not (_uses_torch(command, environ) and any(name.startswith(_HUB) for name in environ))
        and all(map(_is_ours, _import_path(environ)))
    )


def _import_path(environ: Any) -> list[str]:
    return [entry for entry in environ.get("PYTHONPATH", "").split(os.pathsep) if entry]


def _is_ours(entry: str) -> bool:
    """Whether a folder of the import path takes no library's place, and runs nothing when an interpreter starts."""
    return Path(entry).is_relative_to(CHECKOUT) and not (Path(entry) / "sitecustomize.py").exists()


def _of_interpreter(environ: Any) -> dict[str, str]:
    return {name: text for name, text in environ.items() if name.startswith(_INTERPRETER) and name not in _OBEYED}


def child_environment() -> dict[str, str]:
    """Of the server, as tests give it to what they start."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "PYTHONPATH": str(CHECKOUT)}


class ForkedProcess(subprocess.Popen[Any]):
    """A process that the server of this process has forked, with all that Popen does."""

    uses_torch = False

    def _execute_child(self, args: list[str], *more: Any) -> None:
        _executable, _preexec, _close, _passed, cwd, env, _info, _flags, _shell, *pipes = more
        read_in, write_in, read_out, write_out, read_err, write_err = pipes[:6]
        _restore, _gid, _gids, _uid, _umask, new_session = pipes[6:12]
        request = {
            "command": args[1:],
            "cwd": str(cwd or Path.cwd()),
            "env": dict(env or os.environ),
            "session": new_session,
        }
        streams = [(0, read_in), (1, write_out), (2, write_err)]
        self.pid = server_for(uses_torch=self.uses_torch or _uses_torch(args, request["env"])).fork(
            request, [own if given == -1 else given for own, given in streams]
        )
        self._child_created = True
        self._close_pipe_fds(read_in, write_in, read_out, write_out, read_err, write_err)


class TorchProcess(ForkedProcess):
    """One from the server that has imported torch."""

    uses_torch = True


class _Server:
    def __init__(self, libraries: list[str]) -> None:
        self._lock = threading.Lock()
        self.closed = False
        self._socket, other = socket.socketpair()
        with other:
            self._process = _Popen(
                [sys.executable, "-c", f"from tests.fork_server import serve; serve({other.fileno()}, {libraries})"],
                stdin=subprocess.DEVNULL,
                pass_fds=[other.fileno()],
                cwd=CHECKOUT,
                env={**child_environment(), **_ONE_THREAD},
            )
        self._libc = ctypes.CDLL(None, use_errno=True)

    def fork(self, request: dict[str, Any], streams: list[int]) -> int:
        """The id of the new process, which is a child of this one: it falls to it as the next that takes in orphans."""
        with self._lock:
            self._libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
            try:
                data = json.dumps(request).encode()
                socket.send_fds(self._socket, [len(data).to_bytes(4, "big")], streams)
                self._socket.sendall(data)
                answer = self._socket.recv(4, socket.MSG_WAITALL)
                if len(answer) < 4:
                    raise OSError("the process that forks has ended")
            except BaseException:  # a test's time was up: its answer must not be taken for that to the next
                self.close()
                raise
            finally:
                self._libc.prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
        return int.from_bytes(answer, "big")

    def close(self) -> None:
        self.closed = True
        self._socket.close()
        self._process.kill()
        self._process.wait()


_started: dict[tuple[int, bool], _Server] = {}
_starting = threading.Lock()


def server_for(*, uses_torch: bool) -> _Server:
    """Of this process."""
    key = os.getpid(), uses_torch
    with _starting:
        if key not in _started or _started[key].closed:
            _started[key] = server = _Server(LIBRARIES + TORCH * uses_torch)
            atexit.register(server.close)
        return _started[key]


def _uses_torch(command: list[str], environ: Any) -> bool:
    """Whether it is a command that does, or the encoder is a folder with a checkpoint."""
    own = command[1:3] == ["-m", "c2llm_lsp"]
    return own and (
        command[3:4] in ([name] for name in _TORCH_COMMANDS) or environ.get("C2LLM_ENCODER", "").startswith("/")
    )


# -- the process that forks ---------------------------------------------------------------------------------------------


def serve(number: int, libraries: list[str]) -> None:
    for name in libraries:
        with suppress(ModuleNotFoundError):  # of an extra
            import_module(name)
    assert len(list(Path("/proc/self/task").iterdir())) == 1, "a library has started a thread"
    assert "torch" in libraries or "huggingface_hub" not in sys.modules, "it reads settings when it is imported"
    gc.collect()
    gc.freeze()
    connection = socket.socket(fileno=number)
    while True:
        head, streams, _, _ = socket.recv_fds(connection, 4, 3)
        if not head:
            return
        request = json.loads(connection.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL))
        read_pid, write_pid = os.pipe()
        read_go, write_go = os.pipe()
        between = os.fork()
        if not between:
            child = os.fork()
            if child:
                os.write(write_pid, child.to_bytes(4, "big"))
                os._exit(0)
            os.close(write_go)
            os.read(read_go, 1)  # until it has its new parent
            connection.close()
            for pipe in (read_pid, write_pid, read_go):
                os.close(pipe)
            _become(request, streams)
        pid = os.read(read_pid, 4)
        os.waitpid(between, 0)
        for pipe in (read_pid, write_pid, read_go, write_go, *streams):
            os.close(pipe)
        connection.sendall(pid)


def _become(request: dict[str, Any], streams: list[int]) -> NoReturn:
    """The program that was asked for, from here to its end."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    for stream in streams:
        os.close(stream)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if request["session"]:
        os.setsid()
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    if not os.environ.get("C2LLM_TEST_IMPATIENT"):
        patience.apply_to_product()
    _open_streams(unbuffered=bool(os.environ.get("PYTHONUNBUFFERED")))
    command = request["command"]
    is_module = command[0] == "-m"
    sys.argv[:] = command[is_module:]
    first = str(Path.cwd() if is_module else Path(command[0]).parent)
    sys.path[:2] = [first, *_import_path(os.environ)]  # in place of the server's own two
    if is_module:
        runpy._run_module_as_main(command[1])  # type: ignore[attr-defined]
    else:
        runpy.run_path(command[0], run_name="__main__")
    sys.exit()


def _open_streams(*, unbuffered: bool) -> None:
    """As an interpreter opens them that starts."""

    def text(number: int, mode: str, errors: str | None) -> io.TextIOWrapper:
        raw = open(number, mode, 0 if unbuffered and mode == "wb" else -1, closefd=False)  # noqa: SIM115
        lines = not unbuffered and (number == 2 or os.isatty(number))
        return io.TextIOWrapper(raw, sys.__stdout__.encoding, errors, line_buffering=lines, write_through=unbuffered)

    errors = sys.__stdout__.errors
    sys.stdin = sys.__stdin__ = text(0, "rb", errors)
    sys.stdout = sys.__stdout__ = text(1, "wb", errors)
    sys.stderr = sys.__stderr__ = text(2, "wb", "backslashreplace")
