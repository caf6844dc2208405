// agnhost net: a connection that its server half closes, so that its client's side stays in CLOSE_WAIT. By command or over HTTP.
"use strict";
const net = require("node:net");
const { body, endOnSignal, listen } = require("./http.cjs");
const { log, parse } = require("./flags.cjs");

const address = (text) => ({ host: text.slice(0, text.lastIndexOf(":")).replace(/^\[|\]$/g, "") || undefined, port: Number(text.slice(text.lastIndexOf(":") + 1)) });
const seconds = (count = 0) => new Promise((resolve) => setTimeout(resolve, count * 1000));
/** Connections that are meant to stay. */
const leaked = [];

const runners = {
	"nat-closewait-server": ({ LocalAddr: local, PostFinTimeoutSeconds: wait }) =>
		new Promise((resolve, reject) => {
			const server = net.createServer({ allowHalfOpen: true }, async (socket) => {
				socket.on("error", () => {});
				log("Client connected");
				socket.end();
				log(`Server sent FIN, waiting ${wait} seconds`);
				await seconds(wait);
				socket.destroy();
				server.close();
				log("Done");
				resolve();
			});
			server.on("error", reject);
			server.listen(address(local), () => log(`Server listening on ${local}`));
		}),
	"nat-closewait-client": ({ RemoteAddr: remote, TimeoutSeconds: timeout = 0, PostFinTimeoutSeconds: wait, LeakConnection: leak }) =>
		new Promise((resolve, reject) => {
			const socket = net.connect({ ...address(remote), allowHalfOpen: true }, () => log("Connected to server"));
			if (timeout > 0) socket.setTimeout(timeout * 1000, () => socket.destroy(new Error("i/o timeout")));
			socket.on("error", reject);
			socket.on("data", () => reject(new Error("Got data but expected EOF")));
			socket.on("end", async () => {
				socket.setTimeout(0);
				log(`Server has half-closed the connection, waiting ${wait} seconds`);
				if (leak === true) leaked.push(socket);
				await seconds(wait);
				if (leak !== true) socket.destroy();
				log("Done");
				resolve();
			});
		}),
};

exports.net = async function netCommand(words) {
	const flags = parse(words);
	if (flags.serve) {
		endOnSignal();
		listen(address(flags.serve).port, async (request, response, url) => {
			const runner = runners[url.pathname.replace(/^\/run\//, "")];
			if (runner === undefined) {
				response.statusCode = 404;
				return "404 page not found\n";
			}
			await runner(JSON.parse((await body(request)).toString()));
			return "";
		});
		return;
	}
	const runner = runners[flags.runner];
	if (runner === undefined) throw new Error(`no runner ${flags.runner}: there are ${Object.keys(runners).join(", ")}`);
	await runner(JSON.parse(flags.options || "{}"));
	process.exit(0);
};
