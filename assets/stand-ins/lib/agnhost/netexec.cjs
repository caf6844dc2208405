// agnhost netexec: a web server and a UDP server that say who they are, who asks, and dial others.
"use strict";
const { execFile } = require("node:child_process");
const dgram = require("node:dgram");
const fs = require("node:fs");
const certificate = require("./certificate.cjs");
const { body, endOnSignal, get, hostname, listen, redirect, remote } = require("./http.cjs");
const { durationMs, log, parse } = require("./flags.cjs");

exports.netexec = function netexec(words) {
	const flags = parse(words);
	endOnSignal(Number(flags["delay-shutdown"] || 0) * 1000);
	const udpPort = Number(flags["udp-port"] || 8081);
	const state = { udpReady: udpPort === -1, ending: false };
	for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => (state.ending = true));
	if (udpPort !== -1) for (const address of new Set((flags["udp-listen-addresses"] || "").split(","))) serveUdp(udpPort, address, state);
	const httpPort = flags["http-port"] || "8080";
	const tls = flags["tls-cert-file"] ? certificate.read(flags["tls-cert-file"], flags["tls-private-key-file"]) : undefined;
	listen(
		httpPort,
		async (request, response, asked) => {
			const url = flags["http-override"] ? new URL(flags["http-override"], "http://localhost") : asked;
			log(`${request.method} ${url.pathname}${url.search}`);
			const answer = answers[url.pathname] || answers["/"];
			const form = await formOf(request, url);
			return answer({ request, response, field: (name) => form.get(name) || "", state });
		},
		tls,
	);
	log(`Started HTTP server on port ${httpPort}`);
};

async function formOf(request, url) {
	const isForm = /^application\/x-www-form-urlencoded/.test(request.headers["content-type"] || "");
	const sent = isForm ? new URLSearchParams((await body(request)).toString()) : undefined;
	return new URLSearchParams([...(sent || []), ...url.searchParams]);
}

const answers = {
	"/": () => `NOW: ${new Date().toISOString().replace("T", " ").replace("Z", "000000 +0000 UTC")}`,
	"/clientip": ({ request }) => remote(request.socket),
	"/header": ({ request, field }) => String(request.headers[field("key").toLowerCase()] || ""),
	"/hostname": () => hostname(),
	"/hostName": () => hostname(),
	"/echo": ({ response, field }) => {
		if (field("code") !== "") response.statusCode = Number(field("code"));
		return field("msg");
	},
	"/exit": ({ field }) => {
		const [wait, timeout] = [durationMs(field("wait")), durationMs(field("timeout"))];
		if (wait === undefined || timeout === undefined) return "arguments 'wait' and 'timeout' must be durations or empty\n";
		setTimeout(() => process.exit(Number(field("code") || 0)), wait + timeout);
		return undefined;
	},
	"/shutdown": () => process.exit(0),
	"/healthz": ({ response, state }) => {
		response.statusCode = state.udpReady ? 200 : 412;
		return "";
	},
	// Not ready any more once it has been asked to end, so that a balancer sees it go.
	"/readyz": ({ response, state }) => {
		response.statusCode = state.udpReady && !state.ending ? 200 : 503;
		return response.statusCode === 200 ? "ok" : "not ready";
	},
	"/redirect": ({ response, field }) => redirect(response, field("location"), Number(field("code") || 302)),
	"/shell": ({ field }) =>
		new Promise((resolve) => {
			const command = field("shellCommand") || field("cmd");
			execFile("/bin/sh", ["-c", `exec 2>&1; ${command}`], { maxBuffer: 16 << 20 }, (error, stdout) => {
				const output = { ...(stdout === "" ? {} : { output: stdout }), ...(error === null ? {} : { error: `exit status ${error.code}` }) };
				resolve(JSON.stringify(output));
			});
		}),
	"/upload": async ({ request, response }) => {
		const [, boundary] = /boundary="?([^";]+)/.exec(request.headers["content-type"] || "") || [];
		const sent = await body(request);
		const start = sent.indexOf("\r\n\r\n");
		if (boundary === undefined || start < 0) return JSON.stringify({ error: "Unable to upload file." });
		const end = sent.indexOf(`\r\n--${boundary}`, start);
		fs.mkdirSync("/uploads", { recursive: true });
		const file = `/uploads/upload${Date.now()}`;
		fs.writeFileSync(file, sent.subarray(start + 4, end), { mode: 0o700 });
		response.statusCode = 201;
		return JSON.stringify({ output: file });
	},
	"/dial": async ({ response, field }) => {
		const protocol = field("protocol").toLowerCase() || "http";
		const dial = { http: dialHttp, udp: dialUdp }[protocol];
		if (dial === undefined || field("request") === "") {
			response.statusCode = 400;
			return dial === undefined ? `unsupported protocol. ${protocol}\n` : "request parameter not specified.\n";
		}
		const responses = [];
		const errors = [];
		for (let tries = Number(field("tries") || 1); tries > 0; tries--) {
			await dial(field("host"), Number(field("port")), field("request")).then(
				(text) => responses.push(text),
				(error) => errors.push(error.message),
			);
		}
		return JSON.stringify({ ...(responses.length > 0 ? { responses } : {}), ...(errors.length > 0 ? { errors } : {}) });
	},
};

function dialHttp(host, port, request) {
	return get(`http://${host.includes(":") ? `[${host}]` : host}:${port}/${request}`);
}

function dialUdp(host, port, request) {
	return new Promise((resolve, reject) => {
		const socket = dgram.createSocket("udp4");
		const end = (settle, value) => {
			clearTimeout(timer);
			socket.close();
			settle(value);
		};
		const timer = setTimeout(() => end(reject, new Error("reading from udp connection failed. err:'i/o timeout'")), 5000);
		socket.on("error", (error) => end(reject, error));
		socket.on("message", (message) => end(resolve, message.toString()));
		socket.connect(port, host, () => socket.send(request));
	});
}

function serveUdp(port, address, state) {
	const socket = dgram.createSocket({ type: address.includes(":") ? "udp6" : "udp4" });
	socket.on("error", (error) => {
		log(error.message);
		process.exit(1);
	});
	socket.on("message", (message, from) => {
		const [word, ...rest] = message.toString().trimEnd().split(" ");
		const command = word.toLowerCase();
		if (command === "hostname") socket.send(hostname(), from.port, from.address);
		else if (command === "clientip") socket.send(`${from.address}:${from.port}`, from.port, from.address);
		else if (command === "echo") socket.send(rest.join(" "), from.port, from.address);
		else if (command !== "") log(`Unknown UDP command received: ${command}`);
	});
	socket.bind(port, address || undefined, () => {
		state.udpReady = true;
		log(`Started UDP server on port ${address} ${port}`);
	});
}
