// Stands in for curl, for what scripts in pods ask of it.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { fetch } = require("./fetch.cjs");

const options = { headers: { "User-Agent": "curl", Accept: "*/*" }, timeoutSeconds: 0 };
const flags = new Set();
let output;
let write = "";
const addresses = [];
const takesValue = { X: "request", H: "header", d: "data", o: "output", m: "max-time", w: "write-out", u: "user", A: "user-agent" };
const ignoredWithValue = new Set(["connect-timeout", "retry", "retry-delay", "cert", "key", "resolve"]);

function set(name, value) {
	if (name === "request") options.method = value;
	else if (name === "header") {
		const [key, ...rest] = value.split(":");
		options.headers[key] = rest.join(":").trim();
	} else if (/^data/.test(name)) {
		const text = value.startsWith("@") ? fs.readFileSync(value === "@-" ? 0 : value.slice(1), "utf8") : value;
		options.body = options.body === undefined ? text : `${options.body}&${text}`;
		options.method = options.method || "POST";
		options.headers["Content-Type"] = options.headers["Content-Type"] || "application/x-www-form-urlencoded";
	} else if (name === "output") output = value;
	else if (name === "cacert") options.ca = fs.readFileSync(value);
	else if (name === "max-time") options.timeoutSeconds = Number(value);
	else if (name === "connect-timeout") options.timeoutSeconds = options.timeoutSeconds || Number(value);
	else if (name === "write-out") write = value;
	else if (name === "user") options.auth = value;
	else if (name === "user-agent") options.headers["User-Agent"] = value;
}

const words = process.argv.slice(2);
while (words.length > 0) {
	const word = words.shift();
	if (word.startsWith("--")) {
		const name = word.slice(2);
		if (Object.values(takesValue).includes(name) || /^data/.test(name) || ignoredWithValue.has(name) || name === "cacert") set(name, words.shift());
		else flags.add({ silent: "s", fail: "f", location: "L", insecure: "k", head: "I", include: "i", "remote-name": "O", "show-error": "S", verbose: "v" }[name] || name);
	} else if (word.startsWith("-") && word.length > 1) {
		for (let at = 1; at < word.length; at++) {
			const name = takesValue[word[at]];
			if (name === undefined) flags.add(word[at]);
			else {
				set(name, at + 1 < word.length ? word.slice(at + 1) : words.shift());
				break;
			}
		}
	} else addresses.push(word);
}
options.follow = flags.has("L");
options.insecure = flags.has("k");
if (flags.has("I")) options.method = "HEAD";

(async () => {
	if (addresses.length === 0) throw Object.assign(new Error("no URL specified!"), { exit: 2 });
	for (const address of addresses) {
		const { response, url } = await fetch(address, options);
		const head = `HTTP/1.1 ${response.statusCode} ${response.statusMessage}\r\n${response.rawHeaders.map((text, index) => (index % 2 ? `${text}\r\n` : `${text}: `)).join("")}\r\n`;
		if (flags.has("f") && response.statusCode >= 400) throw Object.assign(new Error(`The requested URL returned error: ${response.statusCode}`), { exit: 22 });
		const file = flags.has("O") ? path.basename(url.pathname) : output;
		const sink = file === undefined || file === "-" ? process.stdout : fs.createWriteStream(file);
		if (flags.has("I") || flags.has("i")) sink.write(head);
		for await (const chunk of response) sink.write(chunk);
		if (sink !== process.stdout) sink.end();
		process.stdout.write(write.replace(/%\{http_code\}|%\{response_code\}/g, String(response.statusCode)).replace(/\\n/g, "\n"));
	}
})().catch((error) => {
	const known = { ENOTFOUND: [6, "Could not resolve host"], EAI_AGAIN: [6, "Could not resolve host"], ECONNREFUSED: [7, "Failed to connect"], ETIMEDOUT: [28, "Operation timed out"] }[error.code];
	const host = error.url ? `: ${error.url.host}` : "";
	if (!flags.has("s") || flags.has("S")) console.error(`curl: (${error.exit || known?.[0] || 56}) ${known ? known[1] + host : error.message}`);
	process.exitCode = error.exit || known?.[0] || 56;
});
