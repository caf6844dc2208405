// The front of the guestbook tutorial: a page, and reads and writes of a list of messages in Redis.
"use strict";
const net = require("node:net");

/** One command to a Redis server; its answer, which is text or nothing (RESP, one reply). */
function redis(host, command) {
	return new Promise((resolve, reject) => {
		const socket = net.connect({ host, port: 6379, timeout: 5000 });
		let received = "";
		socket.setEncoding("utf8");
		socket.on("connect", () => socket.write(`*${command.length}\r\n${command.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`));
		socket.on("data", (text) => {
			received += text;
			const reply = replyOf(received);
			if (reply === undefined) return;
			socket.destroy();
			if (reply.error === undefined) resolve(reply.text);
			else reject(new Error(reply.error));
		});
		socket.on("timeout", () => socket.destroy(new Error(`${host}: timed out`)));
		socket.on("error", reject);
		socket.on("close", () => reject(new Error(`${host}: connection closed`)));
	});
}

/** Undefined while it is not complete. */
function replyOf(received) {
	const [line, ...rest] = received.split("\r\n");
	if (rest.length === 0) return undefined;
	if (line.startsWith("-")) return { error: line.slice(1) };
	if (!line.startsWith("$")) return { text: line.slice(1) };
	const length = Number(line.slice(1));
	if (length < 0) return { text: "" };
	const bytes = Buffer.from(rest.join("\r\n"));
	return bytes.length < length + 2 ? undefined : { text: bytes.subarray(0, length).toString() };
}

const page = `<!DOCTYPE html>
<html>
<head><title>Guestbook</title></head>
<body>
<h2>Guestbook</h2>
<form id="form"><input name="text" placeholder="Messages"><button>Submit</button></form>
<ul id="messages"></ul>
<p>Coxswain's stand-in for the guestbook.</p>
<script>
const ask = (query) => fetch("guestbook.php?" + new URLSearchParams({ key: "messages", ...query })).then((answer) => answer.json());
const show = ({ data }) => messages.replaceChildren(...data.split(",").filter(Boolean).map((text) => Object.assign(document.createElement("li"), { textContent: text })));
const refresh = () => ask({ cmd: "get" }).then((answer) => (show(answer), answer.data));
form.onsubmit = async (event) => { event.preventDefault(); await ask({ cmd: "set", value: (await refresh()) + "," + form.text.value }); form.reset(); setTimeout(refresh, 500); };
refresh();
</script>
</body>
</html>
`;

exports["gb-frontend"] = ({ env }) => {
	const byEnvironment = env.GET_HOSTS_FROM === "env";
	const hosts = (names, variables) => (byEnvironment ? variables.map((name) => env[name]).filter(Boolean) : names);
	const leaders = hosts(["redis-leader", "redis-master"], ["REDIS_LEADER_SERVICE_HOST", "REDIS_MASTER_SERVICE_HOST"]);
	const followers = hosts(["redis-follower", "redis-replica", "redis-slave"], ["REDIS_FOLLOWER_SERVICE_HOST", "REDIS_REPLICA_SERVICE_HOST", "REDIS_SLAVE_SERVICE_HOST"]);
	/** By the first name that there is: they changed over the years. */
	const anyOf = async (names, command) => {
		let failure = new Error("no Redis is known");
		for (const name of names) {
			try {
				return await redis(name, command);
			} catch (error) {
				failure = error;
				if (!["ENOTFOUND", "EAI_AGAIN"].includes(error.code)) break;
			}
		}
		throw failure;
	};
	const json = (value) => ({ type: "application/json", text: JSON.stringify(value) });
	return {
		port: 80,
		async answer({ url }) {
			if (url.pathname === "/" || url.pathname === "/index.html") return { type: "text/html; charset=utf-8", text: page };
			if (url.pathname !== "/guestbook.php") return { status: 404, text: "404 Not Found\n" };
			const key = url.searchParams.get("key") || "messages";
			if (url.searchParams.get("cmd") === "set") {
				await anyOf(leaders, ["SET", key, url.searchParams.get("value") || ""]);
				return json({ message: "Updated" });
			}
			return json({ data: await anyOf(followers, ["GET", key]) });
		},
	};
};
