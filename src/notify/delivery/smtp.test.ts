/** E-mail to a minimal SMTP server. */

import type { AddressInfo } from "node:net";
import { createServer, type Socket } from "node:net";
import { afterAll, expect, test } from "vitest";
import { Destinations } from "./destinations.ts";
import { sendEmail } from "./smtp.ts";

const said: string[] = [];
let refusal = "";
const server = createServer((socket: Socket) => {
	let isData = false;
	socket.on("error", () => {});
	socket.write("220 test\r\n");
	socket.on("data", (chunk: Buffer) => {
		for (const line of chunk
			.toString()
			.split("\r\n")
			.filter((one) => one !== "")) {
			said.push(line);
			if (isData) {
				if (line !== ".") continue;
				isData = false;
				socket.write("250 taken\r\n");
			} else if (line.startsWith("EHLO")) socket.write("250-test\r\n250 AUTH PLAIN\r\n");
			else if (line.startsWith("AUTH")) socket.write("235 welcome\r\n");
			else if (line.startsWith("RCPT") && refusal !== "") socket.write(`${refusal}\r\n`);
			else if (line === "DATA") {
				isData = true;
				socket.write("354 go on\r\n");
			} else socket.write("250 well\r\n");
		}
	});
});
await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
const { port } = server.address() as AddressInfo;
afterAll(() => server.close());

const url = new URL(`smtp://ann:pass%21@127.0.0.1:${port}`);
const email = {
	from: "cox@example.com",
	to: ["ops@example.com"],
	subject: "Job a failed",
	text: "exit code 3\n",
	id: "1-2",
};

test("a mail is handed over by a connection that was checked", async () => {
	await sendEmail(new Destinations(["127.0.0.1"], false), url, email);
	expect(said.find((line) => line.startsWith("AUTH PLAIN"))?.split(" ")[2]).toBe(
		Buffer.from("\0ann\0pass!").toString("base64"),
	);
	expect(said).toEqual(
		expect.arrayContaining([
			"MAIL FROM:<cox@example.com>",
			"RCPT TO:<ops@example.com>",
			"Subject: Job a failed",
			"Message-ID: <1-2@coxswain>",
			"exit code 3",
		]),
	);
});

test("what the server refuses is told by its code, what may not be reached is not spoken to, and passwords need TLS", async () => {
	refusal = "550 who is that, ann:pass!";
	await expect(sendEmail(new Destinations(["127.0.0.1"], false), url, email)).rejects.toThrow(
		/^127.0.0.1: answered 550$/,
	);
	const count = said.length;
	await expect(sendEmail(new Destinations([], true), url, email)).rejects.toThrow(/may not reach/);
	await expect(sendEmail(new Destinations([], true), new URL(`smtp://localhost:${port}`), email)).rejects.toThrow(
		/may not reach/,
	);
	expect(said).toHaveLength(count);
});
