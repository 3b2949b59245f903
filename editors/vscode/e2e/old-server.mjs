// A server from before the requests that the extension needs: it answers `initialize`, and says nothing of them.
let buffer = "";
process.stdin.setEncoding("utf8").on("data", (text) => {
  buffer += text;
  for (let match; (match = /Content-Length: (\d+)\r\n\r\n/.exec(buffer)); ) {
    const start = match.index + match[0].length;
    const body = buffer.slice(start, start + Number(match[1]));
    if (body.length < Number(match[1])) {
      return;
    }
    buffer = buffer.slice(start + Number(match[1]));
    const { id, method } = JSON.parse(body);
    if (method === "exit") {
      process.exit(0);
    }
    if (id !== undefined && method) {
      const result = method === "initialize" ? { capabilities: {}, serverInfo: { name: "c2llm", version: "0.0.1" } } : null;
      const answer = JSON.stringify({ jsonrpc: "2.0", id, result });
      process.stdout.write(`Content-Length: ${Buffer.byteLength(answer)}\r\n\r\n${answer}`);
    }
  }
});
