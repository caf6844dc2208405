// agnhost guestbook: a store of keys and values with replicas, and a front that passes reads and writes to them.
"use strict";
const os = require("node:os");
const { endOnSignal, get, listen } = require("./http.cjs");
const { log, parse } = require("./flags.cjs");

exports.guestbook = function guestbook(words) {
	endOnSignal();
	const flags = parse(words);
	const backendPort = flags["backend-port"] || "6379";
	const stored = {};
	const replicas = [];
	const query = (key, value) => new URLSearchParams({ key, value }).toString();
	const refuse = (response, status, text) => {
		response.statusCode = status;
		return `${text}\n`;
	};
	listen(flags["http-port"] || "80", async (request, response, url) => {
		log(`GET ${request.url}`);
		const [key, value] = ["key", "value"].map((name) => url.searchParams.get(name) || "");
		switch (url.pathname) {
			case "/register":
				replicas.push(url.searchParams.get("host"));
				return JSON.stringify({ data: stored });
			case "/get":
				return JSON.stringify({ data: key === "" ? stored : (stored[key] ?? "") });
			case "/set":
				if (key === "") return refuse(response, 400, "cannot set with empty key.");
				stored[key] = value;
				for (const replica of replicas) await get(`http://${replica}:${backendPort}/set?${query(key, value)}`);
				return JSON.stringify({ message: "Updated" });
			case "/guestbook": {
				const command = (url.searchParams.get("cmd") || "").toLowerCase();
				if (command !== "get" && command !== "set") return refuse(response, 400, `unsupported cmd: '${command}'`);
				const host = command === "get" ? "agnhost-replica" : "agnhost-primary";
				return get(`http://${host}:${backendPort}/${command}?${query(key, value)}`).catch((error) =>
					refuse(response, 417, `encountered error: ${error.message}`),
				);
			}
			default:
				return refuse(response, 404, "404 page not found");
		}
	});
	if (flags.replicaof) register(`${flags.replicaof}:${backendPort}`, stored, 15);
};

async function register(primary, stored, tries) {
	const addresses = Object.values(os.networkInterfaces()).flat();
	const own = addresses.find((address) => address.family === "IPv4" && !address.internal)?.address;
	try {
		Object.assign(stored, JSON.parse(await get(`http://${primary}/register?host=${own}`)).data);
		log(`Registered to node: ${primary}`);
	} catch (error) {
		log(`encountered error while registering to primary: ${error.message}`);
		if (tries === 0) process.exit(1);
		setTimeout(() => register(primary, stored, tries - 1), 1000);
	}
}
