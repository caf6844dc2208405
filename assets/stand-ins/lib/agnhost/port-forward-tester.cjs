// agnhost port-forward-tester: takes one connection, reads what it was told to expect, answers in chunks, and ends.
"use strict";
const net = require("node:net");

exports.portForwardTester = function portForwardTester() {
	const { BIND_ADDRESS: host = "localhost", BIND_PORT: port, EXPECTED_CLIENT_DATA: expected = "" } = process.env;
	const [chunks, size, interval] = ["CHUNKS", "CHUNK_SIZE", "CHUNK_INTERVAL"].map((name) => Number(process.env[name]));
	const server = net.createServer({ allowHalfOpen: true }, (socket) => {
		server.close();
		console.log("Accepted client connection");
		const end = (code, text) => {
			if (text !== undefined) console.log(text);
			process.exit(code);
		};
		let received = "";
		let answering = false;
		const answer = async () => {
			answering = true;
			for (let sent = 0; sent < chunks; sent++) {
				await new Promise((resolve) => socket.write("x".repeat(size), resolve));
				if (sent + 1 < chunks) await new Promise((resolve) => setTimeout(resolve, interval));
			}
			console.log("Done");
			// The other side has time to read the end before the connection is gone.
			socket.end(() => setTimeout(end, 500, 0));
		};
		const check = () => {
			if (answering || received.length < expected.length) return;
			if (!received.startsWith(expected)) end(3, `Expect to read "${expected}", but got "${received}".`);
			if (expected !== "") console.log("Received expected client data");
			void answer();
		};
		socket.on("data", (data) => {
			received += data;
			check();
		});
		socket.on("end", () => {
			if (received.length < expected.length)
				end(2, `Expected to read ${expected.length} bytes from client, but got ${received.length} instead.`);
		});
		socket.on("error", (error) => end(4, error.message));
		check();
	});
	server.on("error", (error) => {
		console.log(`Error listening: ${error.message}`);
		process.exit(1);
	});
	server.listen(Number(port), host);
};
