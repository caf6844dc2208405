/** kubectl through the agent's endpoint. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, get, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createSocketServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { describeWith, kubectlPath } from "../../core/testing/programs.ts";
import { type KubeServer, startKubeServer } from "../testing/kube-server.ts";

/** Versions to test in addition to the newest: programs, separated by colons. */
const programs = [kubectlPath, ...(process.env["KUBECTL_VERSIONS"] ?? "").split(":")].filter(
	(program) => program !== "",
);
const transports = { WebSocket: "true", SPDY: "false" };

let server: KubeServer;
let folder: string;
let log: string;

beforeAll(async () => {
	folder = mkdtempSync(join(tmpdir(), "cox-streams-"));
	log = join(folder, "0.log");
	writeFileSync(log, "");
	server = await startKubeServer({ logPath: log });
});

afterAll(async () => {
	await server?.close();
	rmSync(folder, { recursive: true, force: true });
});

function start(program: string, args: readonly string[], websockets = "true") {
	const env = {
		...process.env,
		HOME: folder,
		KUBECONFIG: "/dev/null",
		KUBECTL_REMOTE_COMMAND_WEBSOCKETS: websockets,
		KUBECTL_PORT_FORWARD_WEBSOCKETS: websockets,
	};
	return spawn(program, ["-s", server.url, ...args], { env });
}

async function run(program: string, args: readonly string[], input: string | Buffer = "", websockets = "true") {
	const child = start(program, args, websockets);
	const out: Buffer[] = [];
	const err: Buffer[] = [];
	child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
	child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
	child.stdin.on("error", () => {});
	child.stdin.end(input);
	const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
	return { code, out: Buffer.concat(out), err: Buffer.concat(err).toString() };
}

describeWith(["kubectl"], "kubectl", () => {
	describe.each(programs)("%s", (program) => {
		describe.each(Object.entries(transports))("over %s", (_name, websockets) => {
			const kubectl = (args: readonly string[], input?: string | Buffer) => run(program, args, input, websockets);

			test("exec gives output, errors and the exit code apart", async () => {
				const result = await kubectl(["exec", "web", "--", "sh", "-c", "echo out; echo err >&2; exit 3"]);
				expect(result.out.toString()).toBe("out\n");
				expect(result.err).toContain("err\n");
				expect(result.err).toContain("exit code 3");
				expect(result.code).toBe(3);
			});

			test("exec -i passes 5 MB in and out unchanged", async () => {
				const input = Buffer.alloc(5 * 1024 * 1024, "0123456789abcdefghijklmnopqrstuvwxyz\n");
				const result = await kubectl(["exec", "-i", "web", "--", "cat"], input);
				expect(result.code).toBe(0);
				expect(createHash("sha256").update(result.out).digest("hex")).toBe(
					createHash("sha256").update(input).digest("hex"),
				);
			});

			test("exec takes a command of 100,000 characters", async () => {
				const result = await kubectl(["exec", "web", "--", "echo", "x".repeat(100_000)]);
				expect(result.out.length).toBe(100_001);
			});

			test("exec of a command that does not exist says so", async () => {
				const result = await kubectl(["exec", "web", "--", "no-such-command"]);
				expect(result.code).not.toBe(0);
				expect(result.err).toContain("no-such-command");
			});

			test("exec -i ends although the command leaves its input unread", async () => {
				const result = await kubectl(["exec", "-i", "web", "--", "true"], Buffer.alloc(1024 * 1024, "x"));
				expect(result.code).toBe(0);
			});

			test("attach -i joins the container's streams", async () => {
				const result = await kubectl(["attach", "-i", "web"], "hello\n");
				expect(result.out.toString()).toContain("hello\n");
				// Success, although the container fails: otherwise `kubectl run -i` prints the logs as well.
				expect(result.err).not.toContain("exit code");
				expect(result.code).toBe(0);
			});

			test("cp copies a file into the container and back", async () => {
				const [source, there, back] = ["source", "there", "back"].map((name) => join(folder, `${name}-${websockets}`));
				const content = "content\n".repeat(1000);
				writeFileSync(source ?? "", content);
				expect((await kubectl(["cp", source ?? "", `web:${there}`])).err).toBe("");
				expect(readFileSync(there ?? "", "utf8")).toBe(content);
				await kubectl(["cp", `web:${there}`, back ?? ""]);
				expect(readFileSync(back ?? "", "utf8")).toBe(content);
			});

			test("port-forward carries requests, one after the other", async () => {
				const body = "x".repeat(200_000);
				const target = createServer((_request: IncomingMessage, response: ServerResponse) => response.end(body));
				await new Promise<void>((resolve) => target.listen(0, "127.0.0.1", resolve));
				const { port } = target.address() as AddressInfo;
				const child = start(program, ["port-forward", "pod/web", `:${port}`], websockets);
				try {
					const local = await new Promise<number>((resolve, reject) => {
						let text = "";
						child.stdout.on("data", (chunk: Buffer) => {
							text += chunk.toString();
							const match = /127\.0\.0\.1:(\d+)/.exec(text);
							if (match !== null) resolve(Number(match[1]));
						});
						child.once("close", () => reject(new Error("port-forward ended")));
					});
					for (let count = 0; count < 3; count++) expect(await fetched(local)).toBe(body);
				} finally {
					child.kill();
					await new Promise((resolve) => child.once("close", resolve));
					target.closeAllConnections();
					await new Promise((resolve) => target.close(resolve));
				}
			});
		});

		test("logs, with tail, timestamps and a time to begin at", async () => {
			writeFileSync(log, [1, 2, 3].map((n) => `2026-01-01T00:00:0${n}.000000000Z stdout F line ${n}\n`).join(""));
			expect((await run(program, ["logs", "web"])).out.toString()).toBe("line 1\nline 2\nline 3\n");
			expect((await run(program, ["logs", "web", "--tail=1"])).out.toString()).toBe("line 3\n");
			expect((await run(program, ["logs", "web", "--tail=1", "--timestamps"])).out.toString()).toBe(
				"2026-01-01T00:00:03.000000000Z line 3\n",
			);
			expect((await run(program, ["logs", "web", "--since-time=2026-01-01T00:00:02Z"])).out.toString()).toBe(
				"line 2\nline 3\n",
			);
		});

		test("logs -f shows lines as they are written", async () => {
			writeFileSync(log, "2026-01-01T00:00:00Z stdout F first\n");
			const child = start(program, ["logs", "-f", "web"]);
			try {
				let text = "";
				const seen = (wanted: string) =>
					new Promise<void>((resolve) => {
						const check = () => text.includes(wanted) && resolve();
						child.stdout.on("data", check);
						check();
					});
				child.stdout.on("data", (chunk: Buffer) => {
					text += chunk.toString();
				});
				await seen("first\n");
				appendFileSync(log, "2026-01-01T00:00:01Z stdout P sec\n2026-01-01T00:00:01Z stdout F ond\n");
				await seen("second\n");
				expect(text).toBe("first\nsecond\n");
			} finally {
				child.kill();
				await new Promise((resolve) => child.once("close", resolve));
			}
		});
	});
});

function fetched(port: number): Promise<string> {
	return new Promise((resolve, reject) => {
		get({ port, host: "127.0.0.1", agent: false }, async (response) => {
			const parts: Buffer[] = [];
			for await (const part of response) parts.push(part as Buffer);
			resolve(Buffer.concat(parts).toString());
		}).once("error", reject);
	});
}

test("a WebSocket that forwards a port ends with the pod's side of it", async () => {
	const pod = createSocketServer((socket) => socket.end("bye")).listen(0, "127.0.0.1");
	await once(pod, "listening");
	// The address of a server that listens on a port.
	const { port } = pod.address() as AddressInfo;
	const url = `${server.url.replace("http", "ws")}/api/v1/namespaces/default/pods/web/portforward?ports=${port}`;
	const socket = new WebSocket(url, "v4.channel.k8s.io");
	const received: Buffer[] = [];
	socket.on("message", (data: Buffer) => received.push(data));
	const [code] = await once(socket, "close");
	expect(code).toBe(1000);
	expect(Buffer.concat(received).toString()).toContain("bye");
	pod.close();
});
