/**
 * A terminal into a container: a page of its own, because xterm.js makes styles that the policy of the other page
 * refuses. Speaks v5.channel.k8s.io: the first byte of a message is its channel.
 */
import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";

const channel = { input: 0, output: 1, errors: 2, status: 3, size: 4 } as const;
/** The better of the shells that the container has. */
const shell = ["sh", "-c", "command -v bash >/dev/null && exec bash; exec sh"];

const asked = new URLSearchParams(location.search);
const [namespace = "", pod = "", container = ""] = ["namespace", "pod", "container"].map((key) => asked.get(key) ?? "");
document.title = `${pod}/${container}`;

const query = new URLSearchParams([
	["container", container],
	["stdin", "true"],
	["stdout", "true"],
	["tty", "true"],
	...shell.map((word) => ["command", word]),
]);
const path = `/k8s/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/exec?${query}`;
const socket = new WebSocket(`ws://${location.host}${path}`, ["v5.channel.k8s.io"]);
socket.binaryType = "arraybuffer";

const terminal = new Terminal({ cursorBlink: true, screenReaderMode: true });
const fit = new FitAddon();
terminal.loadAddon(fit);
const place = document.getElementById("terminal");
if (place === null) throw new Error("the page has no element #terminal");
terminal.open(place);
terminal.focus();

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function send(to: number, text: string): void {
	if (socket.readyState !== WebSocket.OPEN) return;
	const bytes = encoder.encode(text);
	const message = new Uint8Array(bytes.length + 1);
	message[0] = to;
	message.set(bytes, 1);
	socket.send(message);
}

terminal.onData((text) => send(channel.input, text));
terminal.onResize(({ cols, rows }) => send(channel.size, JSON.stringify({ Width: cols, Height: rows })));
addEventListener("resize", () => fit.fit());

socket.addEventListener("open", () => {
	fit.fit();
	send(channel.size, JSON.stringify({ Width: terminal.cols, Height: terminal.rows }));
});
socket.addEventListener("message", ({ data }: MessageEvent<ArrayBuffer>) => {
	const bytes = new Uint8Array(data);
	if (bytes[0] === channel.output || bytes[0] === channel.errors) terminal.write(bytes.subarray(1));
	else if (bytes[0] === channel.status) terminal.write(`\r\n${ending(decoder.decode(bytes.subarray(1)))}\r\n`);
});
socket.addEventListener("close", () => terminal.write("\r\n[closed]\r\n"));

function ending(text: string): string {
	const { status, message } = JSON.parse(text) as { status: string; message?: string };
	return status === "Success" ? "[ended]" : `[${message ?? status}]`;
}
