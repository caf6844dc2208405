import { closeSync, constants, openSync, writeSync } from "node:fs";
import { Socket } from "node:net";

/** The first line that comes through a FIFO. */
export function firstLine(path: string): { line: Promise<string>; close(): void } {
	const socket = new Socket({
		fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK),
		readable: true,
		writable: false,
	});
	let text = "";
	const line = new Promise<string>((resolve) => {
		socket.on("data", (chunk) => {
			text += chunk.toString();
			if (text.includes("\n")) resolve(text.slice(0, text.indexOf("\n")));
		});
		socket.on("error", () => resolve(""));
		socket.on("close", () => resolve(""));
	});
	return { line, close: () => socket.destroy() };
}

/** Writes a line into a FIFO if somebody has it open. */
export function writeLine(path: string): void {
	try {
		const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
		writeSync(fd, "\n");
		closeSync(fd);
	} catch {
		// Whoever would read has ended.
	}
}
