// Serves what a configuration of nginx says: one listener a port, servers by the host's name.
"use strict";
const fs = require("node:fs");
const http = require("node:http");
const https = require("node:https");
const os = require("node:os");
const path = require("node:path");

/** @param tools send(response, status, type, body), logged(request, response), types by extension. @returns the listeners */
exports.serve = function serve(servers, { send, logged, types }) {
	const ports = new Map();
	for (const server of servers) {
		for (const { port, tls } of server.listens) {
			const sharing = ports.get(port) || { tls, servers: [] };
			sharing.servers.push(server);
			ports.set(port, sharing);
		}
	}
	return [...ports].map(([port, { tls, servers: sharing }]) => {
		const handle = (request, response) => {
			logged(request, response);
			const host = (request.headers.host || "").replace(/:\d+$/, "");
			const server = sharing.find(({ names }) => names.includes(host)) || sharing[0];
			const url = new URL(request.url, "http://localhost");
			const uri = path.posix.normalize(decodeURIComponent(url.pathname));
			const values = { hostname: os.hostname(), host, uri, document_uri: uri, request_uri: request.url, args: url.search.slice(1), remote_addr: (request.socket.remoteAddress || "").replace(/^::ffff:/, ""), server_addr: (request.socket.localAddress || "").replace(/^::ffff:/, ""), server_port: String(port), request_method: request.method, scheme: tls ? "https" : "http", server_name: server.names[0] || "" };
			const value = (name) => values[name] ?? (name.startsWith("http_") ? String(request.headers[name.slice(5).replaceAll("_", "-")] || "") : "");
			const filled = (text) => text.replace(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced, bare) => value(braced ?? bare));
			const answer = server.answer(uri);
			for (const [name, value = ""] of answer.headers) response.setHeader(name, filled(value));
			if (answer.proxy !== undefined) return pass(request, response, filled(answer.proxy) + url.search, send);
			if (answer.code !== undefined) {
				const isRedirect = [301, 302, 303, 307, 308].includes(answer.code);
				if (isRedirect) response.setHeader("Location", filled(answer.text));
				return send(response, answer.code, answer.type || "text/plain", isRedirect ? "" : filled(answer.text));
			}
			for (const place of answer.files) {
				const tried = place.endsWith("/") ? answer.index.map((name) => path.join(place, name)) : [place];
				const file = tried.find((each) => fs.existsSync(each) && fs.statSync(each).isFile());
				if (file !== undefined) return send(response, 200, types[path.extname(file)] || "application/octet-stream", fs.readFileSync(file));
			}
			const isDirectory = answer.files.some((place) => place.endsWith("/") && fs.existsSync(place));
			const [code, text] = isDirectory ? [403, "403 Forbidden"] : [404, "404 Not Found"];
			send(response, code, "text/html", `<html><head><title>${text}</title></head><body><h1>${text}</h1></body></html>\n`);
		};
		const { certificate, key } = sharing[0];
		const listener = tls ? https.createServer({ cert: fs.readFileSync(certificate), key: fs.readFileSync(key) }, handle) : http.createServer(handle);
		listener.port = port;
		return listener;
	});
};

function pass(request, response, target, send) {
	const failed = () => send(response, 502, "text/html", "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n");
	try {
		const { request: ask } = target.startsWith("https:") ? https : http;
		const asked = ask(target, { method: request.method, headers: { ...request.headers, host: new URL(target).host, connection: "close" }, rejectUnauthorized: false, timeout: 60_000 }, (answer) => {
			response.writeHead(answer.statusCode, answer.headers);
			answer.pipe(response);
		});
		asked.on("error", failed).on("timeout", () => asked.destroy(new Error("timed out")));
		request.pipe(asked);
	} catch {
		failed();
	}
}
