/**
 * Notifications of a real cluster, to a receiver that is down at times, with a server that is killed in the meantime.
 */
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { eventually, TestCluster } from "./cluster.ts";
import { kill, Traces } from "./traces.ts";

const key = "s3cret";

interface Told {
	id: string;
	type: string;
	subject: string;
	data: { exitCode?: number; log: string[] };
}

/** Takes messages while it is open. */
async function startReceiver() {
	const taken: Told[] = [];
	const mistakes: string[] = [];
	const state = { isOpen: false, refused: 0 };
	const server = createServer(async (request, response) => {
		let body = "";
		for await (const chunk of request) body += chunk;
		const { "webhook-id": id, "webhook-timestamp": at, "webhook-signature": signature } = request.headers;
		const wanted = `v1,${createHmac("sha256", key).update(`${id}.${at}.${body}`).digest("base64")}`;
		if (signature !== wanted) mistakes.push(`signed ${signature}, not ${wanted}`);
		if (state.isOpen) taken.push(JSON.parse(body));
		else state.refused++;
		response.writeHead(state.isOpen ? 202 : 503).end();
	});
	await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
	const { port } = server.address() as AddressInfo;
	const url = `http://127.0.0.1:${port}/`;
	return { url, taken, mistakes, state, [Symbol.dispose]: () => void server.close() };
}

const policy = `
apiVersion: notify.coxswain.io/v1
kind: NotificationPolicy
metadata: { name: all }
spec:
  events: [Succeeded, Failed]
  sinks:
    - name: program
      webhook:
        urlFrom: { secretKeyRef: { name: hook, key: url } }
        keyFrom: { secretKeyRef: { name: hook, key: key } }
`;

const job = (name: string, script: string) => `
apiVersion: batch/v1
kind: Job
metadata: { name: ${name} }
spec:
  backoffLimit: 0
  ttlSecondsAfterFinished: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{ name: main, image: busybox, command: [sh, -c, "${script}"] }]
`;

test("what jobs did is told though the receiver was down and the server was killed, twice at most by the same id", async () => {
	using receiver = await startReceiver();
	await using cluster = await TestCluster.start("--notify-allow", "127.0.0.1");
	const killServer = async (restarts: number) => {
		kill(new Traces(cluster.data).pids(/^server$/));
		await eventually(async () => {
			const { restarts: counted } = JSON.parse(await cluster.coxOk("status", "--json"));
			expect(counted.count).toBe(restarts);
		}, 60_000);
	};
	await cluster.kubectl(
		"create",
		"secret",
		"generic",
		"hook",
		`--from-literal=url=${receiver.url}`,
		`--from-literal=key=${key}`,
	);
	await cluster.kubectlInput(policy, "apply", "-f", "-");
	const tested = await cluster.cox("notify", "test", "all");
	expect(tested).toMatchObject({ code: 1, stdout: "program: 127.0.0.1 answered 503\n" });

	await cluster.kubectlInput(
		[job("a", "echo well done"), job("b", "echo too bad; exit 3")].join("---"),
		"apply",
		"-f",
		"-",
	);
	await eventually(async () => expect(receiver.state.refused).toBeGreaterThan(1), 60_000);
	await killServer(1);
	receiver.state.isOpen = true;
	await eventually(async () => expect(receiver.taken.map(({ subject }) => subject).sort()).toEqual(["a", "b"]), 60_000);

	const names = Array.from({ length: 6 }, (_, index) => `many-${index}`);
	await cluster.kubectlInput(names.map((name) => job(name, "echo done")).join("---"), "apply", "-f", "-");
	await eventually(async () => expect(receiver.taken.length).toBeGreaterThan(3), 60_000);
	await killServer(2);
	const subjects = () => new Set(receiver.taken.map(({ subject }) => subject));
	await eventually(async () => expect(subjects()).toEqual(new Set(["a", "b", ...names])), 60_000);
	expect(new Set(receiver.taken.map(({ id }) => id)).size).toBe(8);

	const bad = receiver.taken.find(({ subject }) => subject === "b");
	expect(bad).toMatchObject({ type: "io.coxswain.job.failed", data: { exitCode: 3, log: ["too bad"] } });
	expect(receiver.taken.find(({ subject }) => subject === "a")?.data.log).toEqual(["well done"]);
	expect(receiver.mistakes).toEqual([]);
	expect(await cluster.coxOk("notify", "test", "all")).toBe("program: sent\n");
	await eventually(async () => {
		const columns = (await cluster.kubectl("get", "notificationpolicies", "--no-headers")).split(/\s+/);
		expect(columns.slice(0, 4)).toEqual(["all", "Succeeded,Failed", "program", "True"]);
	});
	// A killed server may have lost the count of what it had just sent.
	await cluster.kubectlInput(job("last", "echo done"), "apply", "-f", "-");
	await eventually(async () =>
		expect(await cluster.kubectl("describe", "notificationpolicy", "all")).toMatch(
			/Sent +\S+ +notification-controller +Sent \d/,
		),
	);
	// The machine's own services are nobody's to reach who is not allowed to.
	await cluster.kubectl("patch", "secret", "hook", "-p", '{"stringData":{"url":"https://[::1]:6443/"}}');
	await eventually(async () => {
		const { stdout } = await cluster.cox("notify", "test", "all");
		expect(stdout).toMatch(/^program: ::1 is at an address that notifications may not reach/);
	});
}, 180_000);
