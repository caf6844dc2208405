// Stands in for the small web servers of the official tutorials and of well-known courses: `demo.cjs NAME [flags]`.
"use strict";
const http = require("node:http");
const os = require("node:os");
const { parse } = require("./agnhost/flags.cjs");

const [, , name, ...words] = process.argv;
const makers = { ...require("./demo/servers.cjs"), ...require("./demo/echo.cjs"), ...require("./demo/guestbook.cjs") };
const maker = makers[name];
if (maker === undefined) {
	console.error(`demo-server: no ${name}: there are ${Object.keys(makers).join(", ")}`);
	process.exit(2);
}

/** What a server is: its port, and an answer to a request as text, or as { status, type, text, headers }; perhaps something to do first. */
const { port, answer, before } = maker({ flags: parse(words), env: process.env, host: os.hostname() });

const server = http.createServer(async (request, response) => {
	const chunks = [];
	try {
		for await (const chunk of request) chunks.push(chunk);
		const url = new URL(request.url, "http://localhost");
		const given = await answer({ request, url, body: Buffer.concat(chunks).toString(), client: (request.socket.remoteAddress || "").replace(/^::ffff:/, "") });
		const { status = 200, type = "text/plain; charset=utf-8", text, headers = {} } = typeof given === "string" ? { text: given } : given;
		response.writeHead(status, { "Content-Type": type, "Content-Length": Buffer.byteLength(text), ...headers });
		response.end(request.method === "HEAD" ? undefined : text);
	} catch (error) {
		response.writeHead(500, { "Content-Type": "text/plain" });
		response.end(`${error.message}\n`);
	}
	console.log(`${new Date().toISOString()} ${request.method} ${request.url} ${response.statusCode}`);
});
for (const signal of ["SIGTERM", "SIGINT", "SIGQUIT"]) {
	process.on(signal, () => {
		server.close(() => process.exit(0));
		server.closeIdleConnections();
		setTimeout(() => process.exit(0), 2000).unref();
	});
}
server.on("error", (error) => {
	console.error(`${name}: ${error.message}`);
	process.exit(1);
});
before?.();
server.listen(port, () => console.log(`${name}: Coxswain's stand-in listens on port ${port} of ${os.hostname()}`));
