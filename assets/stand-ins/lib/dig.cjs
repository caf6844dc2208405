// Stands in for dig, for what tests of names ask: +short, +noall +answer, +search, +tcp, -x, @server, name and type.
"use strict";
const dgram = require("node:dgram");
const fs = require("node:fs");
const net = require("node:net");

const types = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, MX: 15, TXT: 16, AAAA: 28, SRV: 33 };
const typeNames = Object.fromEntries(Object.entries(types).map(([name, number]) => [number, name]));
const statuses = { 0: "NOERROR", 2: "SERVFAIL", 3: "NXDOMAIN", 5: "REFUSED" };

const settings = { nameserver: [], search: [], ndots: 1 };
for (const line of fs.readFileSync("/etc/resolv.conf", "utf8").split("\n")) {
	const [key, ...values] = line.trim().split(/\s+/);
	if (key === "nameserver") settings.nameserver.push(values[0]);
	if (key === "search") settings.search = values;
	if (key === "options") for (const value of values) if (value.startsWith("ndots:")) settings.ndots = Number(value.slice(6));
}

const flags = new Set();
const words = process.argv.slice(2);
let [server, name, type, seconds, tries, port] = [settings.nameserver[0], "", "A", 5, 3, 53];
while (words.length > 0) {
	const word = words.shift();
	if (word.startsWith("+")) {
		const [flag, value] = word.slice(1).split("=");
		if (flag === "time" || flag === "timeout") seconds = Number(value);
		else if (flag === "tries") tries = Number(value);
		else flags.add(flag);
	} else if (word.startsWith("@")) server = word.slice(1);
	else if (word === "-x") [name, type] = [`${words.shift().split(".").reverse().join(".")}.in-addr.arpa.`, "PTR"];
	else if (word === "-t") type = words.shift().toUpperCase();
	else if (word === "-p") port = Number(words.shift());
	else if (word === "-4" || word === "-6") flags.add(word);
	else if (types[word.toUpperCase()]) type = word.toUpperCase();
	else if (word !== "IN") name = word;
}

function question(host) {
	const labels = host.split(".").filter(Boolean).flatMap((label) => [Buffer.from([Buffer.byteLength(label)]), Buffer.from(label)]);
	const id = Math.floor(Math.random() * 65536);
	return Buffer.concat([Buffer.from([id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]), ...labels, Buffer.from([0, 0, types[type], 0, 1])]);
}

function udp(message) {
	return new Promise((resolve, reject) => {
		const socket = dgram.createSocket(net.isIPv6(server) ? "udp6" : "udp4");
		const timer = setTimeout(() => reject(socket.close() || new Error("timed out")), seconds * 1000);
		socket.on("message", (answer) => {
			clearTimeout(timer);
			socket.close();
			resolve(answer);
		});
		socket.on("error", reject);
		socket.send(message, port, server);
	});
}

function tcp(message) {
	return new Promise((resolve, reject) => {
		const socket = net.connect(port, server, () => socket.write(Buffer.concat([Buffer.from([message.length >> 8, message.length & 255]), message])));
		socket.setTimeout(seconds * 1000, () => socket.destroy(new Error("timed out")));
		let received = Buffer.alloc(0);
		socket.on("data", (chunk) => {
			received = Buffer.concat([received, chunk]);
			if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
			socket.destroy();
			resolve(received.subarray(2));
		});
		socket.on("error", reject);
	});
}

/** The name at an offset, and where it ends. */
function readName(message, start) {
	const labels = [];
	let [at, end] = [start, undefined];
	for (;;) {
		const length = message[at];
		if (length >= 192) {
			end ??= at + 2;
			at = message.readUInt16BE(at) & 0x3fff;
		} else if (length === 0) return [`${labels.join(".")}.`, end ?? at + 1];
		else {
			labels.push(message.toString("latin1", at + 1, at + 1 + length));
			at += length + 1;
		}
	}
}

function records(message) {
	let at = readName(message, 12)[1] + 4;
	return Array.from({ length: message.readUInt16BE(6) }, () => {
		const [owner, end] = readName(message, at);
		const kind = message.readUInt16BE(end);
		const start = end + 10;
		at = start + message.readUInt16BE(end + 8);
		return { owner, ttl: message.readUInt32BE(end + 4), type: typeNames[kind] || `TYPE${kind}`, data: dataText(message, kind, start, at) };
	});
}

function dataText(message, kind, start, end) {
	if (kind === types.A) return [...message.subarray(start, end)].join(".");
	if (kind === types.AAAA) return Array.from({ length: 8 }, (_, index) => message.readUInt16BE(start + 2 * index).toString(16)).join(":");
	if (kind === types.SRV) return `${[0, 2, 4].map((offset) => message.readUInt16BE(start + offset)).join(" ")} ${readName(message, start + 6)[0]}`;
	if (kind === types.TXT) return `"${message.toString("utf8", start + 1, end)}"`;
	if (kind === types.MX) return `${message.readUInt16BE(start)} ${readName(message, start + 2)[0]}`;
	return readName(message, start)[0];
}

function candidates() {
	if (!flags.has("search") || name.endsWith(".")) return [name];
	const searched = settings.search.map((domain) => `${name}.${domain}`);
	return name.split(".").length - 1 >= settings.ndots ? [name, ...searched] : [...searched, name];
}

async function ask(host) {
	for (let left = tries; ; left--) {
		try {
			return await (flags.has("tcp") ? tcp : udp)(question(host));
		} catch (error) {
			if (left <= 1) throw error;
		}
	}
}

(async () => {
	let message;
	let host;
	for (host of candidates()) {
		message = await ask(host);
		if ((message[3] & 15) === 0 && message.readUInt16BE(6) > 0) break;
	}
	const found = records(message);
	if (flags.has("short")) return found.forEach(({ data }) => console.log(data));
	const lines = found.map((record) => `${record.owner}\t${record.ttl}\tIN\t${record.type}\t${record.data}`);
	if (flags.has("noall")) return flags.has("answer") ? lines.forEach((line) => console.log(line)) : undefined;
	console.log(`;; ->>HEADER<<- opcode: QUERY, status: ${statuses[message[3] & 15] || message[3] & 15}, id: ${message.readUInt16BE(0)}`);
	console.log(`\n;; QUESTION SECTION:\n;${host.replace(/\.?$/, ".")}\t\tIN\t${type}\n\n;; ANSWER SECTION:\n${lines.join("\n")}\n\n;; SERVER: ${server}#${port}(${server})`);
})().catch(() => {
	console.log(";; connection timed out; no servers could be reached");
	process.exitCode = 9;
});
