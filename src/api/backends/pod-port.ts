/** A connection to a port of a pod, over the agent's port forwarding (v4.channel.k8s.io over WebSocket). */
import { Duplex } from "node:stream";
import { WebSocket } from "ws";
import { ApiError } from "../../core/errors.ts";

const dataChannel = 0;
const errorChannel = 1;
/** Each channel begins with the number of its port. */
const greetingBytes = 2;
const openTimeoutMs = 10_000;

/** @param connection to the agent; belongs to the result @throws ApiError ServiceUnavailable */
export async function connectToPort(connection: Duplex, namespace: string, pod: string, port: number): Promise<Duplex> {
	const path = `/portForward/${encodeURIComponent(namespace)}/${encodeURIComponent(pod)}?ports=${port}`;
	const websocket = new WebSocket(`ws://localhost${path}`, ["v4.channel.k8s.io"], {
		// Any duplex works as a socket; the agent may be in this process.
		createConnection: () => connection as never,
		perMessageDeflate: false,
		handshakeTimeout: openTimeoutMs,
	});
	await new Promise<void>((resolve, reject) => {
		websocket.once("open", resolve);
		websocket.once("error", (error) => {
			connection.destroy();
			reject(new ApiError("ServiceUnavailable", `error trying to reach pod ${namespace}/${pod}: ${error.message}`));
		});
	});
	return duplexOver(websocket);
}

function duplexOver(websocket: WebSocket): Duplex {
	let greeted = 0;
	const duplex = new Duplex({
		read() {
			if (websocket.isPaused) websocket.resume();
		},
		write(chunk: Buffer, _encoding, done) {
			websocket.send(Buffer.concat([Buffer.of(dataChannel), chunk]), (error) => done(error ?? null));
		},
		final(done) {
			// The protocol cannot close one direction; HTTP does not need that.
			done();
		},
		destroy(error, done) {
			websocket.terminate();
			done(error);
		},
	});
	websocket.on("message", (message: Buffer) => {
		const channel = message.readUInt8(0);
		if (greeted < 2 && message.length === 1 + greetingBytes) {
			greeted++;
			return;
		}
		if (channel === errorChannel) {
			duplex.destroy(new Error(message.toString("utf8", 1)));
			return;
		}
		if (!duplex.push(message.subarray(1))) websocket.pause();
	});
	websocket.once("close", () => duplex.push(null));
	websocket.on("error", (error) => duplex.destroy(error));
	return duplex;
}
