// Stands in for nc: connects or listens on TCP, or only looks whether a port is open (-z).
"use strict";
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
if (flags.has("l")) {
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
