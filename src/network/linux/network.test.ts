import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { promisify } from "node:util";
import { systemClock } from "../../core/time/clock.ts";
import { type NodeFixture, networkContract } from "../contract.ts";
import { markedProcesses } from "../machine/marked-processes.ts";
import { createMachine, type NodeHolder } from "../machine.ts";
import { createLinuxNetwork } from "./network.ts";

const execute = promisify(execFile);
const clock = systemClock();

const serverProgram = `
const [protocol, port, name] = process.argv.slice(1);
if (protocol === "UDP") {
	const socket = require("dgram").createSocket("udp4");
	socket.on("message", (message, peer) => socket.send(name + " " + peer.address, peer.port, peer.address));
	socket.bind(Number(port), () => console.log("up"));
} else {
	const server = require("net").createServer((socket) => socket.end(name + " " + socket.remoteAddress));
	server.listen(Number(port), "0.0.0.0", () => console.log("up"));
}`;

const clientProgram = `
const [protocol, host, port] = process.argv.slice(1);
const fail = (error) => { console.error(error.code ?? error.message); process.exit(1); };
setTimeout(fail, 5000, new Error("no answer")).unref();
if (protocol === "UDP") {
	const socket = require("dgram").createSocket("udp4");
	socket.on("error", fail);
	socket.on("message", (message) => { console.log(message.toString()); process.exit(); });
	socket.bind(40000, () => socket.connect(Number(port), host, () => socket.send("hello")));
	setTimeout(fail, 5000, new Error("no answer"));
} else {
	let text = "";
	require("net").connect({ host, port: Number(port) }).on("error", fail).on("data", (data) => { text += data; }).on("end", () => console.log(text));
}`;

networkContract("linux", {
	...(process.getuid?.() === 0 || process.env["COX_TEST_ROOTLESS"] ? {} : { noTraffic: "needs root here" }),
	async open() {
		const directory = mkdtempSync(`${tmpdir()}/cox-network-`);
		const machine = await createMachine({ directory, clock });
		const children: ChildProcess[] = [];
		const node = async (index: number): Promise<NodeFixture> => {
			const podCidr = `10.244.${index}.0/24`;
			const address = `172.30.0.${index}`;
			const rootDirectory = `${directory}/nodes/${index}`;
			const holder = await machine.addNode({ name: `node-${index}`, index, podCidr, address, rootDirectory });
			const open = () =>
				createLinuxNetwork({
					directory: `${rootDirectory}/network`,
					nodeAddress: address,
					podCidr,
					serviceCidr: "10.96.0.0/12",
					enter: holder.enterArguments(),
				});
			return {
				address,
				podCidr,
				network: await open(),
				reopen: open,
				makePod: async () => {
					const line = await startIn(
						holder,
						["unshare", "--net", "sh", "-c", "echo $$; exec sleep infinity"],
						children,
					);
					return `/proc/${line}/ns/net`;
				},
				async serve(namespacePath, protocol, port, name) {
					await startIn(
						holder,
						[...inNamespace(namespacePath), process.execPath, "-e", serverProgram, protocol, String(port), name],
						children,
					);
				},
				async ask(namespacePath, protocol, to, port) {
					const [program, ...args] = holder.enterArguments();
					const command = [
						...args,
						...inNamespace(namespacePath),
						process.execPath,
						"-e",
						clientProgram,
						protocol,
						to,
						String(port),
					];
					return (await execute(program, command)).stdout.trim();
				},
			};
		};
		return {
			nodes: [await node(1), await node(2)],
			async dispose() {
				await machine.destroy();
				for (const child of children) child.kill();
				await rm(directory, { recursive: true });
				const mounts = readFileSync("/proc/self/mountinfo", "utf8");
				if (mounts.includes(directory) || markedProcesses(directory).length > 0)
					throw new Error("something was left behind");
			},
		};
	},
});

function inNamespace(path: string | undefined): string[] {
	return path === undefined ? [] : ["nsenter", `--net=${path}`];
}

/** Starts a program inside a node and resolves with its first line of output. */
function startIn(holder: NodeHolder, command: string[], children: ChildProcess[]): Promise<string> {
	const [program, ...args] = holder.enterArguments();
	const child = spawn(program, [...args, ...command], { stdio: ["ignore", "pipe", "inherit"] });
	children.push(child);
	return new Promise((resolve, reject) => {
		child.stdout.once("data", (data) => resolve(data.toString().trim()));
		child.once("exit", (code) => reject(new Error(`${command.join(" ")} ended with ${code}`)));
	});
}
