/** The streams of simulated containers, which have no program behind them. */
import { Duplex, PassThrough, Readable, Writable } from "node:stream";
import type { ExecSession } from "../runtime.ts";

/**
 * A session that discards its input.
 * @param output all that it writes to stdout; undefined: nothing until `exitCode` resolves
 */
export function simulatedSession(
	config: { stdin: boolean; tty: boolean },
	output: string | undefined,
	exitCode: Promise<number>,
): ExecSession {
	const stdout = output === undefined ? new PassThrough() : Readable.from([Buffer.from(output)]);
	return {
		...(config.stdin ? { stdin: new Writable({ write: (_chunk, _encoding, done) => done() }) } : {}),
		stdout,
		...(config.tty ? {} : { stderr: Readable.from([]) }),
		resize: () => {},
		exitCode: exitCode.then((code) => {
			if (stdout instanceof PassThrough) stdout.end();
			return code;
		}),
	};
}

/** A connection to a port: answers every HTTP request with 200, and ignores any other input. */
export function simulatedConnection(): Duplex {
	const body = "simulated\n";
	const stream = new Duplex({
		read() {},
		write(chunk: Buffer, _encoding, done) {
			if (/^[A-Z]+ \S+ HTTP\/1/.test(chunk.toString("latin1"))) {
				stream.push(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
				stream.push(null);
			}
			done();
		},
	});
	return stream;
}
