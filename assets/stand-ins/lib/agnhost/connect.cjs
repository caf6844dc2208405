// agnhost connect [--timeout=10s] [--protocol=tcp] HOST:PORT: says TIMEOUT, REFUSED, DNS or OTHER when there is no connection.
"use strict";
const net = require("node:net");
const { durationMs, parse } = require("./flags.cjs");

exports.connect = function connect(words) {
	const flags = parse(words);
	const target = flags.rest[0] || "";
	const at = target.lastIndexOf(":");
	const fail = (text) => {
		console.error(text);
		process.exit(1);
	};
	if ((flags.protocol || "tcp").toLowerCase() !== "tcp") fail(`OTHER: protocol ${flags.protocol} is not supported here`);
	const socket = net.connect({ host: target.slice(0, at).replace(/^\[|\]$/g, ""), port: Number(target.slice(at + 1)) });
	socket.setTimeout(durationMs(flags.timeout || "10s") || 10_000, () => fail("TIMEOUT"));
	socket.on("connect", () => process.exit(0));
	socket.on("error", (error) => {
		if (error.code === "ECONNREFUSED") fail("REFUSED");
		if (error.code === "ETIMEDOUT" || error.code === "EHOSTUNREACH") fail("TIMEOUT");
		fail(["ENOTFOUND", "EAI_AGAIN"].includes(error.code) ? `DNS: ${error.message}` : `OTHER: ${error.message}`);
	});
};
