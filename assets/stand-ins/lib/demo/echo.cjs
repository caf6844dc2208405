// Servers that say what they were asked.
"use strict";
const os = require("node:os");

const headerLines = (request, join) => Object.keys(request.headers).sort().map((key) => join(key, request.headers[key]));
/** Headers as they were sent. */
const rawLines = (request) => request.rawHeaders.flatMap((key, at, all) => (at % 2 === 0 ? [`${key}: ${all[at + 1]}`] : []));

exports["http-echo"] = ({ flags, env }) => {
	const text = flags.text ?? env.ECHO_TEXT;
	if (text === undefined) {
		console.error("Missing -text option!");
		process.exit(127);
	}
	const status = Number(flags["status-code"] || 200);
	return { port: Number((flags.listen || ":5678").split(":").pop()), answer: () => ({ status, text: `${text}\n`, headers: { "X-App-Name": "http-echo" } }) };
};

exports.echoserver = ({ env }) => ({
	port: Number(env.HTTP_PORT || 8080),
	answer({ request, url, body, client }) {
		const pod = [["node name", env.NODE_NAME], ["pod name", env.POD_NAME], ["pod namespace", env.POD_NAMESPACE], ["pod IP", env.POD_IP]].filter(([, value]) => value);
		return [
			`\n\nHostname: ${os.hostname()}\n`,
			"Pod Information:",
			...(pod.length > 0 ? pod.map(([key, value]) => `\t${key}:\t${value}`) : ["\t-no pod information available-"]),
			"\nServer values:\n\tserver_version=Coxswain's stand-in for echoserver\n",
			"Request Information:",
			`\tclient_address=${client}`,
			`\tmethod=${request.method}`,
			`\treal path=${request.url}`,
			`\tquery=${url.search.slice(1)}`,
			`\trequest_version=${request.httpVersion}`,
			"\trequest_scheme=http",
			`\trequest_uri=http://${request.headers.host || ""}${request.url}`,
			"\nRequest Headers:",
			...headerLines(request, (key, value) => `\t${key}=${value}`),
			`\nRequest Body:\n${body || "\t-no body in request-"}\n\n`,
		].join("\n");
	},
});

exports["echoserver-1.4"] = () => ({
	port: 8080,
	answer: ({ request, url, body, client }) =>
		[
			"CLIENT VALUES:",
			`client_address=${client}`,
			`command=${request.method}`,
			`real path=${request.url}`,
			`query=${url.search.slice(1) || "nil"}`,
			`request_version=${request.httpVersion}`,
			`request_uri=http://${request.headers.host || ""}${request.url}`,
			"\nSERVER VALUES:\nserver_version=Coxswain's stand-in for echoserver\n",
			"HEADERS RECEIVED:",
			...headerLines(request, (key, value) => `${key}=${value}`),
			`BODY:\n${body || "-no body in request-"}`,
		].join("\n"),
});

exports["echo-server"] = ({ env, host }) => ({
	port: Number(env.PORT || 8080),
	answer: ({ request, body }) =>
		`Request served by ${host}\n\nHTTP/${request.httpVersion} ${request.method} ${request.url}\n\n${rawLines(request).join("\n")}\n${body ? `\n${body}` : ""}`,
});

exports.whoami = ({ flags, env, host }) => ({
	port: Number(flags.port || env.WHOAMI_PORT_NUMBER || 80),
	answer({ request, url }) {
		if (url.pathname === "/health") return "";
		const addresses = Object.values(os.networkInterfaces()).flat().map(({ address }) => address);
		const name = flags.name || env.WHOAMI_NAME;
		if (url.pathname === "/api") {
			const headers = Object.fromEntries(Object.entries(request.headers).map(([key, value]) => [key, [value].flat()]));
			return { type: "application/json", text: `${JSON.stringify({ hostname: host, ip: addresses, headers, url: request.url, host: request.headers.host, method: request.method, ...(name ? { name } : {}) })}\n` };
		}
		return [
			...(name ? [`Name: ${name}`] : []),
			`Hostname: ${host}`,
			...addresses.map((address) => `IP: ${address}`),
			`RemoteAddr: ${(request.socket.remoteAddress || "").replace(/^::ffff:/, "")}:${request.socket.remotePort}`,
			`${request.method} ${request.url} HTTP/${request.httpVersion}`,
			...rawLines(request),
			"\n",
		].join("\n");
	},
});
