// agnhost grpc-health-checking: the gRPC health service; unhealthy after a delay or when told so on its HTTP port.
"use strict";
const http2 = require("node:http2");
const { endOnSignal, listen } = require("./http.cjs");
const { log, parse } = require("./flags.cjs");

const serving = 1;
const notServing = 2;

exports.serve = function serve(words) {
	endOnSignal();
	const flags = parse(words);
	const delaySeconds = Number(flags["delay-unhealthy-sec"] ?? -1);
	let status = delaySeconds === 0 ? notServing : serving;
	if (delaySeconds > 0) setTimeout(() => (status = notServing), delaySeconds * 1000);
	const server = http2.createServer();
	server.on("stream", (stream) => {
		stream.on("error", () => {});
		const chunks = [];
		stream.on("data", (chunk) => chunks.push(chunk));
		stream.on("end", () => {
			const known = serviceOf(Buffer.concat(chunks)) === (flags.service || "");
			stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
			stream.on("wantTrailers", () => stream.sendTrailers(known ? { "grpc-status": "0" } : { "grpc-status": "5", "grpc-message": "unknown service" }));
			stream.end(known ? Buffer.from([0, 0, 0, 0, 2, 8, status]) : undefined);
		});
	});
	server.listen(Number(flags.port || 5000));
	listen(flags["http-port"] || "8080", (_, response, url) => {
		if (url.pathname === "/make-serving") status = serving;
		else if (url.pathname === "/make-not-serving") status = notServing;
		else response.statusCode = 404;
		return "";
	});
	log(`Serving gRPC health on port ${flags.port || 5000}`);
};

/** The request is one framed message with at most one field, the service's name. */
function serviceOf(frame) {
	return frame.length > 7 && frame[5] === 0x0a ? frame.subarray(7, 7 + frame[6]).toString() : "";
}
