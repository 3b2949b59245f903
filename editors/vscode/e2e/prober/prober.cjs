// Does what an agent in the editor would: asks tools, and writes down what it gets to read. Also gives the editor a folder
// that is on no disk, and a box that answers at once: what the editor itself needs for an answer of ten results.
const { writeFileSync } = require("node:fs");
const vscode = require("vscode");

exports.activate = (context) => {
  context.subscriptions.push(
    vscode.commands.registerCommand("prober.askTool", () => tell(/^c2llm_search$/)),
    vscode.commands.registerCommand("prober.askMcp", () => tell(/^mcp_.*_search$/)),
    vscode.commands.registerCommand("prober.echo", echo),
    vscode.workspace.registerFileSystemProvider("probe", folder(), { isReadonly: true }),
  );
};

async function tell(name) {
  const listed = vscode.lm.tools.map((tool) => tool.name);
  const found = listed.find((one) => name.test(one));
  const input = { query: "cost of sending a parcel", limit: 2 };
  const asked = vscode.lm.invokeTool(found ?? String(name), { input, toolInvocationToken: undefined });
  const text = await asked.then(
    (result) => result.content.map((part) => part.value).join("\n"),
    (error) => `failed: ${error.message}`,
  );
  writeFileSync(process.env.PROBER_FILE, JSON.stringify({ listed, text }));
}

function echo() {
  const pick = vscode.window.createQuickPick();
  pick.placeholder = "Echo";
  pick.onDidChangeValue((typed) => {
    const label = `$(symbol-function) ${typed}`;
    const shown = Array.from({ length: 10 }, (_, n) => ({ label, description: `echo.py:${n + 1}`, detail: typed, alwaysShow: true }));
    pick.items = typed === "" ? [] : shown;
  });
  pick.show();
}

function folder() {
  const time = { ctime: 0, mtime: 0, size: 3 };
  return {
    onDidChangeFile: new vscode.EventEmitter().event,
    watch: () => new vscode.Disposable(() => undefined),
    stat: (uri) => ({ ...time, type: uri.path.endsWith(".py") ? vscode.FileType.File : vscode.FileType.Directory }),
    readDirectory: () => [["a.py", vscode.FileType.File]],
    readFile: () => Buffer.from("a=1"),
  };
}
