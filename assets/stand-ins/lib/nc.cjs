// Stands in for nc: connects or listens on TCP or UDP (-u), or only looks whether a port is open (-z).
"use strict";
const dgram = require("node:dgram");
const net = require("node:net");

const flags = new Set();
let seconds = 0;
let localPort;
const rest = [];
const words = process.argv.slice(2);
while (words.length > 0) {
	const word = words.shift();
	if (/^-\w*w$/.test(word)) seconds = Number(words.shift());
	else if (/^-w\d/.test(word)) seconds = Number(word.slice(2));
	if (/^-\w*p$/.test(word)) localPort = Number(words.shift());
	if (/^-\w*q$/.test(word)) words.shift();
	if (word.startsWith("-")) for (const flag of word.slice(1)) flags.add(flag);
	else rest.push(word);
}
const fail = (text) => {
	if (text && (flags.has("v") || !flags.has("z"))) console.error(`nc: ${text}`);
	process.exit(1);
};
const pipe = (socket) => {
	process.stdin.pipe(socket);
	socket.pipe(process.stdout);
	socket.on("close", () => process.exit(0));
};
/** Sends what it reads; ends when nothing has come for the time of -w since its input ended. */
function udp(host, port) {
	const socket = dgram.createSocket("udp4");
	let timer;
	const soon = () => {
		clearTimeout(timer);
		timer = setTimeout(() => process.exit(0), (seconds || 1) * 1000);
	};
	socket.on("error", (error) => fail(error.code === "ECONNREFUSED" ? "Connection refused" : error.message));
	socket.on("message", (message) => {
		process.stdout.write(message);
		if (timer !== undefined) soon();
	});
	socket.connect(Number(port), host, () => {
		if (flags.has("v")) console.error(`${host} (${socket.remoteAddress().address}:${port}) open`);
		if (flags.has("z")) {
			socket.send("");
			// A port that nobody has answers with an error, if at all.
			setTimeout(() => process.exit(0), 200);
			return;
		}
		process.stdin.on("data", (chunk) => socket.send(chunk));
		process.stdin.on("end", soon);
	});
}

if (flags.has("u") && !flags.has("l")) {
	const [host, port] = rest;
	if (!host || !port) fail("a host and a port are wanted");
	udp(host, port);
} else if (flags.has("u")) {
	const socket = dgram.createSocket("udp4");
	socket.on("error", (error) => fail(error.message));
	socket.on("message", (message) => process.stdout.write(message));
	socket.bind(localPort || Number(rest.at(-1)));
} else if (flags.has("l")) {
	const server = net.createServer((socket) => {
		if (!flags.has("k")) server.close();
		pipe(socket);
	});
	server.on("error", (error) => fail(error.message));
	server.listen(localPort || Number(rest.at(-1)));
} else {
	const [host, port] = rest;
	if (!host || !port) fail("a host and a port are wanted");
	const socket = net.connect({ host, port: Number(port) }, () => {
		socket.setTimeout(0);
		if (flags.has("v")) console.error(`${host} (${socket.remoteAddress}:${port}) open`);
		if (flags.has("z")) process.exit(0);
		pipe(socket);
	});
	if (seconds > 0) socket.setTimeout(seconds * 1000, () => fail(`${host}:${port}: Connection timed out`));
	socket.on("error", (error) => fail(`${host}:${port}: ${error.code === "ECONNREFUSED" ? "Connection refused" : error.message}`));
}
