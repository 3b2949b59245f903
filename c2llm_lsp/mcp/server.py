"""The MCP server and its tools, on standard input and output or over HTTP on this machine."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import ValidationError

from c2llm_lsp import __version__
from c2llm_lsp.mcp import context, find_similar, index_status, search, structure
from c2llm_lsp.mcp.workspaces import Workspaces
from c2llm_lsp.render.escape import escape_line

INSTRUCTIONS = (
    "Finds code of the project {name} by meaning, offline, from an index that follows the files on disk. Prefer it to "
    "listing folders and guessing names. Each answer says how current it is; results for pending files come with a later call."
)
STOP_SECONDS = 5  # for requests that are under way


class Server(MCPServer):
    """Says in a sentence which arguments are wrong, where the SDK would print pydantic's report with addresses."""

    async def call_tool(self, name: str, arguments: dict[str, Any], *more: Any, **named: Any) -> Any:
        try:
            return await super().call_tool(name, arguments, *more, **named)
        except ToolError as error:
            if not isinstance(error.__cause__, ValidationError):
                raise
            raise ToolError(_wrong_arguments(name, error.__cause__)) from error.__cause__


def _wrong_arguments(tool: str, error: ValidationError) -> str:
    wrong = error.errors(include_url=False, include_context=False, include_input=False)
    said = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg'].lower()}" for each in wrong)
    return escape_line(f"Wrong arguments of {tool}: {said}.")


def build(workspaces: Workspaces) -> MCPServer:
    names = ", ".join(escape_line(root.name) for root in workspaces.roots)
    server = Server(
        "c2llm",
        title="C2LLM Code Search",
        instructions=INSTRUCTIONS.format(name=names or "that is open"),
        version=__version__,
        log_level="WARNING",  # messages at INFO contain the queries
    )
    for module in (search, find_similar, context, structure, index_status):
        module.register(server, workspaces)
    for tool in server._tool_manager.list_tools():
        tool.description = inspect.cleandoc(tool.description)
        _shorten(tool.parameters, has_choice=len(workspaces.roots) != 1)
    return server


def _shorten(schema: dict[str, Any], *, has_choice: bool) -> None:
    """Drop from a schema what tells a model nothing: every client sends all of it with every conversation."""
    if not has_choice:
        schema["properties"].pop("workspace", None)
    schema.pop("title", None)
    for parameter in schema["properties"].values():
        parameter.pop("title", None)
        options = parameter.get("anyOf", [])
        if len(options) == 2 and options[1] == {"type": "null"}:
            del parameter["anyOf"], parameter["default"]
            parameter.update(options[0])


def serve(workspaces: Workspaces) -> None:
    """Serve until standard input closes."""
    workspaces.open_all()  # beside the first messages: assistants wait 10 seconds for an answer, some less
    try:
        build(workspaces).run("stdio")
    finally:
        workspaces.close()


def serve_http(workspaces: Workspaces, port: int, token: str, announce: Callable[[int], None]) -> None:
    """Serve many clients on a port of this machine until SIGINT or SIGTERM; 0 takes a free one, which is announced.

    Clients show the token. Host and Origin have to be of this machine: a page in a browser reaches servers here too, under
    names of its own. Raises SettingsError where the port cannot be had.
    """
    import uvicorn

    from c2llm_lsp.http_connections import BACKLOG, bounded_protocol
    from c2llm_lsp.http_serving import bound
    from c2llm_lsp.mcp.http import HOST, TokenRequired

    listening = bound(HOST, port)
    number = listening.getsockname()[1]
    hosts = [f"{name}:{number}" for name in ("127.0.0.1", "localhost")]
    security = TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=[f"http://{host}" for host in hosts])
    application = build(workspaces).streamable_http_app(transport_security=security)
    config = uvicorn.Config(
        TokenRequired(application, token),
        http=bounded_protocol(),
        backlog=BACKLOG,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        lifespan="on",
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    workspaces.open_all()
    announce(number)
    try:
        uvicorn.Server(config).run(sockets=[listening])
    finally:
        workspaces.close()
