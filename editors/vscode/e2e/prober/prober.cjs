// Does what an agent in the editor would: asks the language-model tool, and writes down what it gets to read.
const { writeFileSync } = require("node:fs");
const vscode = require("vscode");

exports.activate = (context) => {
  context.subscriptions.push(
    vscode.commands.registerCommand("prober.askTool", async () => {
      const listed = vscode.lm.tools.map((tool) => tool.name);
      const input = { query: "cost of sending a package", limit: 2 };
      const asked = vscode.lm.invokeTool("c2llm_search", { input, toolInvocationToken: undefined });
      const text = await asked.then(
        (result) => result.content.map((part) => part.value).join("\n"),
        (error) => `failed: ${error.message}`,
      );
      writeFileSync(process.env.PROBER_FILE, JSON.stringify({ listed, text }));
    }),
  );
};
