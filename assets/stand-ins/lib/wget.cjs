// Stands in for wget, for what scripts in pods ask of busybox's.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { fetch } = require("./fetch.cjs");

const options = { headers: { "User-Agent": "Wget" }, follow: true, timeoutSeconds: 0 };
let output;
let quiet = false;
let spider = false;
const addresses = [];
const words = process.argv.slice(2).flatMap((word) => (/^-[qcS]*[qcS]O./.test(word) || /^-[qcS]+O$/.test(word) ? [word.slice(0, word.indexOf("O")), "-O", ...(word.endsWith("O") ? [] : [word.slice(word.indexOf("O") + 1)])] : [word]));
while (words.length > 0) {
	const word = words.shift();
	const value = () => (word.includes("=") ? word.slice(word.indexOf("=") + 1) : words.shift());
	if (/^(-O|--output-document)/.test(word)) output = word.length > 2 && !word.startsWith("--") ? word.slice(2) : value();
	else if (/^(-T|--timeout)/.test(word)) options.timeoutSeconds = Number(/^-T\d/.test(word) ? word.slice(2) : value());
	else if (/^(-t|--tries|-P|-w)/.test(word)) word.length === 2 || word === "--tries" ? words.shift() : undefined;
	else if (word.startsWith("--header")) {
		const [name, ...rest] = value().split(":");
		options.headers[name] = rest.join(":").trim();
	} else if (word.startsWith("--post-data")) Object.assign(options, { method: "POST", body: value() });
	else if (word === "--spider") spider = true;
	else if (word === "--no-check-certificate") options.insecure = true;
	else if (/^-[a-zA-Z]*q/.test(word) || word === "--quiet") quiet = true;
	else if (!word.startsWith("-")) addresses.push(word);
}
const say = (text) => quiet || console.error(text);

(async () => {
	if (addresses.length === 0) throw new Error("missing URL");
	for (const address of addresses) {
		const { response, url } = await fetch(address, options);
		say(`Connecting to ${url.host}`);
		if (response.statusCode >= 400) throw new Error(`server returned error: HTTP/1.1 ${response.statusCode} ${response.statusMessage}`);
		const file = output || path.basename(url.pathname) || "index.html";
		if (spider) {
			say("remote file exists");
			response.destroy();
		} else {
			const sink = file === "-" ? process.stdout : fs.createWriteStream(file);
			for await (const chunk of response) sink.write(chunk);
			if (file !== "-") sink.end(() => say(`'${file}' saved`));
		}
	}
})().catch((error) => {
	const where = error.url ? `can't connect to remote host (${error.url.hostname}): ` : "";
	const what = { ECONNREFUSED: "Connection refused", ENOTFOUND: "bad address", ETIMEDOUT: "download timed out" }[error.code] || error.message;
	console.error(`wget: ${error.code === "ENOTFOUND" ? `bad address '${error.url.hostname}'` : where + what}`);
	process.exitCode = 1;
});
