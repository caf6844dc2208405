// What the servers of agnhost have in common.
"use strict";
const http = require("node:http");
const https = require("node:https");
const net = require("node:net");
const os = require("node:os");
const { log } = require("./flags.cjs");

/** The address of the other side, IPv4 as such. */
exports.remote = (socket) => {
	const address = (socket.remoteAddress || "").replace(/^::ffff:/, "");
	return net.isIPv6(address) ? `[${address}]:${socket.remotePort}` : `${address}:${socket.remotePort}`;
};

exports.hostname = () => os.hostname();

/**
 * @param answer (request, response, url) => text to answer with, or undefined when it has answered itself
 * @param tls contents of a certificate and its key
 */
exports.listen = function listen(port, answer, tls) {
	const serve = async (request, response) => {
		try {
			const text = await answer(request, response, new URL(request.url, "http://localhost"));
			if (text === undefined) return;
			if (!response.hasHeader("Content-Type")) response.setHeader("Content-Type", `text/${isHtml(text) ? "html" : "plain"}; charset=utf-8`);
			response.end(text);
		} catch (error) {
			response.statusCode = 400;
			response.end(`${error.message}\n`);
		}
	};
	const server = tls ? https.createServer(tls, serve) : http.createServer(serve);
	server.on("error", (error) => {
		log(error.message);
		process.exit(1);
	});
	server.listen(Number(port));
	return server;
};

const htmlSigns = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;" };

/** @returns the text to answer with, as Go's servers write it */
exports.redirect = (response, location, code = 302) => {
	response.statusCode = code;
	response.setHeader("Location", location);
	const shown = location.replace(/[&<>"']/g, (sign) => htmlSigns[sign]);
	return `<a href="${shown}">${http.STATUS_CODES[code] ?? ""}</a>.\n\n`;
};

exports.body = async function body(request) {
	const chunks = [];
	for await (const chunk of request) chunks.push(chunk);
	return Buffer.concat(chunks);
};

/** Text of a GET; fails after five seconds. */
exports.get = (address) =>
	new Promise((resolve, reject) => {
		const request = http.get(address, { timeout: 5000, agent: false }, async (response) => {
			try {
				resolve((await exports.body(response)).toString());
			} catch (error) {
				reject(error);
			}
		});
		request.on("timeout", () => request.destroy(new Error("timed out")));
		request.on("error", reject);
	});

/** PID 1 gets no signal it does not ask for. */
exports.endOnSignal = function endOnSignal(delayMs = 0) {
	for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => setTimeout(() => process.exit(delayMs > 0 ? 0 : signal === "SIGINT" ? 130 : 143), delayMs));
};

/** Told by its first tag, as browsers do (MIME Sniffing, "identifying a resource with an unknown MIME type"). */
function isHtml(text) {
	return /^\s*<(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|!--)[ >]/i.test(text);
}
