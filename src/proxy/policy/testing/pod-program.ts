/** What runs in the pods of tests, with `node -e`. */

/** A pod's program: servers on its ports, and connections on request: `ID PROTOCOL ADDRESS PORT`, answered `ID yes|no`. */
export const podProgram = `
const net = require("net"), dgram = require("dgram");
const [, name, ...ports] = process.argv;
for (const port of ports) {
	net.createServer((socket) => { socket.on("error", () => {}); socket.pipe(socket); }).listen(+port, "0.0.0.0");
	const udp = dgram.createSocket("udp4");
	udp.on("message", (text, peer) => udp.send(text, peer.port, peer.address)).bind(+port);
}
const kept = new Map();
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
	const [id, protocol, address, port] = line.split(" ");
	const answer = (yes) => { clearTimeout(timer); console.log(id + (yes ? " yes" : " no")); };
	const timer = setTimeout(() => { answer(false); close(); }, 300);
	let close = () => {};
	if (protocol === "UDP") {
		const socket = dgram.createSocket("udp4");
		close = () => socket.close();
		socket.on("message", () => { answer(true); close(); }).on("error", () => { answer(false); });
		socket.send("hello", +port, address);
		return;
	}
	const key = address + ":" + port;
	const socket = (protocol === "KEPT" && kept.get(key)) || net.connect(+port, address);
	close = () => socket.destroy();
	socket.removeAllListeners();
	socket.on("error", () => answer(false)).once("data", () => {
		answer(true);
		if (protocol === "KEPT") kept.set(key, socket); else close();
	});
	socket.write("hello");
});
console.log("up");
`;

/** Sends UDP datagrams to an address, port 82, from the others in turn, without end: `FIRST SECOND TO`. */
export const forgingProgram = `
const dgram = require("dgram");
const [, first, second, to] = process.argv;
const send = (from, next) => {
	const socket = dgram.createSocket("udp4");
	const sent = () => { socket.close(); setTimeout(send, 10, next, from); };
	socket.bind(0, from, () => socket.send("x", 82, to, sent));
};
send(first, second);
`;

/** Prints where the first datagram to port 82 comes from. */
export const receivingProgram = `
const socket = require("dgram").createSocket("udp4").bind(82);
socket.on("message", (_, { address }) => { console.log(address); process.exit(); });
`;
