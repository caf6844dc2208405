// The small servers of agnhost.
"use strict";
const dgram = require("node:dgram");
const fs = require("node:fs");
const net = require("node:net");
const path = require("node:path");
const certificate = require("./certificate.cjs");
const { body, endOnSignal, hostname, listen, redirect } = require("./http.cjs");
const { parse, log } = require("./flags.cjs");

exports["serve-hostname"] = (words) => {
	endOnSignal();
	const flags = parse(words, ["http", "tcp", "udp", "close"]);
	const port = Number(flags.port || 9376);
	if (flags.udp === "true") {
		const socket = dgram.createSocket("udp4");
		socket.on("message", (_, from) => socket.send(hostname(), from.port, from.address));
		socket.bind(port);
	}
	if (flags.tcp === "true") net.createServer((socket) => socket.on("error", () => {}).end(hostname())).listen(port);
	if (flags.tcp !== "true" && flags.http !== "false")
		listen(port, (_, response) => {
			if (flags.close === "true") response.setHeader("Connection", "close");
			log(`HTTP request from ${response.req.socket.remoteAddress}`);
			return hostname();
		});
	log(`Serving on port ${port}.`);
};

exports["test-webserver"] = (words) => {
	endOnSignal();
	const { port = "80" } = parse(words);
	listen(port, (_, response, url) => {
		const file = path.posix.normalize(decodeURIComponent(url.pathname));
		const stat = fs.existsSync(file) ? fs.statSync(file) : undefined;
		if (stat?.isFile()) return fs.readFileSync(file);
		if (stat?.isDirectory()) return `<pre>\n${fs.readdirSync(file).map((name) => `<a href="${name}">${name}</a>\n`).join("")}</pre>\n`;
		response.statusCode = 404;
		return "404 page not found\n";
	});
};

exports.liveness = (words) => {
	endOnSignal();
	const { port = "8080" } = parse(words);
	const startedMs = Date.now();
	listen(port, (_, response, url) => {
		const seconds = (Date.now() - startedMs) / 1000;
		if (url.pathname === "/started") return `${seconds}s`;
		if (url.pathname === "/redirect") return redirect(response, url.searchParams.get("loc") || "/");
		if (url.pathname !== "/healthz") response.statusCode = 404;
		else if (seconds > 10) {
			response.statusCode = 500;
			return `error: ${seconds}`;
		}
		return response.statusCode === 200 ? "ok" : "404 page not found\n";
	});
};

exports.porter = (words) => {
	endOnSignal();
	const flags = parse(words, ["json-response"]);
	const answer = (value) => (request, response) => {
		request.resume();
		if (flags["json-response"] !== "true") return value;
		response.setHeader("Content-Type", "application/json");
		return JSON.stringify({ Method: request.method, Body: value });
	};
	for (const [name, value] of Object.entries(process.env)) {
		const [, kind, port] = /^SERVE_(?:(TCP|UDP|TLS)_)?PORT_(\d+)$/.exec(name) || [];
		if (port === undefined) continue;
		if (kind === "UDP") {
			const socket = dgram.createSocket("udp4");
			socket.on("message", (_, from) => socket.send(value, from.port, from.address));
			socket.bind(Number(port));
		} else if (kind === "TLS") listen(port, answer(value), certificate.read(process.env.CERT_FILE, process.env.KEY_FILE));
		else listen(port, answer(value));
	}
};

/** Reads one byte of each connection and closes it: what else was sent makes that a reset. */
exports["tcp-reset"] = (words) => {
	endOnSignal();
	const { port = "8080" } = parse(words);
	net.createServer((socket) => socket.on("error", () => {}).once("readable", () => {
		const isMore = socket.readableLength > 1;
		socket.read(1);
		if (isMore) socket.resetAndDestroy();
		else socket.end();
	})).listen(Number(port));
	log(`Listening on port ${port}`);
};

/** Takes any log entry it is sent and drops it: for tests that only need something to send to. */
exports["fake-gitserver"] = (words) => {
	endOnSignal();
	listen(parse(words).port || "8000", async (request) => {
		await body(request);
		return "I am a fake git server";
	});
};
