/** examples/daemonsets: figures, logs and addresses of every node. */
import { expect, test } from "vitest";
import { describeWith } from "../../../src/core/testing/programs.ts";
import { eventually, type TestCluster } from "../cluster.ts";
import { Readme } from "../readme.ts";

const programs = ["rsyslogd", "rsyslog/omrelp.so", "prometheus-node-exporter"];
const consulPath = "/api/v1/namespaces/discovery/services/consul:8500/proxy/v1/catalog";

interface LogRecord {
	namespace: string;
	pod: string;
	container: string;
	node: string;
	message: string;
}
interface CatalogService {
	Node: string;
	ServiceAddress: string;
}

export function daemonSetExamples(cluster: () => TestCluster, isWhole: boolean): void {
	const readme = new Readme("examples/daemonsets/README.md", cluster);

	/** Lines of `kubectl get` with the values of the paths, apart by blanks. */
	async function rows(kind: string, paths: readonly string[], ...more: string[]): Promise<string[]> {
		const fields = paths.map((path) => `{${path}}`).join(" ");
		const text = await cluster().kubectl("get", kind, ...more, "-o", `jsonpath={range .items[*]}${fields}{"\\n"}{end}`);
		return text.split("\n").filter((line) => line !== "");
	}
	const talkers = (...paths: string[]) => rows("pods", paths, "-l", "app=talker");

	/** Everything that the collector has written, as it stands there. */
	async function collected(): Promise<string[]> {
		const exec = ["-n", "logging", "exec", "deployment/log-collector", "--"];
		return (await cluster().kubectl(...exec, "cat", "/logs/pods.jsonl")).trimEnd().split("\n");
	}
	// The collector writes one such object a line.
	const parse = (line: string) => JSON.parse(line) as LogRecord;
	const ofTalkers = (lines: readonly string[]) => lines.map(parse).filter(({ container }) => container === "talk");
	const shippers = ["-n", "logging", "-l", "app=log-shipper"];

	const said = ({ namespace, pod, node, message }: LogRecord) => `${namespace} ${pod} ${node} ${message}`;

	/** Waits for the lines of the talkers. @returns them, as the records that have arrived say them */
	async function allArrived(): Promise<string[]> {
		const expected = (await talkers(".metadata.name", ".spec.nodeName")).flatMap((pod) =>
			Array.from({ length: 3000 }, (_, index) => `default ${pod} line ${index + 1} of 3000, "as it was said"`),
		);
		await eventually(async () => {
			const arrived = new Set(ofTalkers(await collected()).map(said));
			expect(expected.filter((line) => !arrived.has(line))).toEqual([]);
		}, 90_000);
		return expected;
	}

	async function catalog<Answer>(path: string): Promise<Answer> {
		// The shapes are those of Consul's API.
		return JSON.parse(await cluster().kubectl("get", "--raw", `${consulPath}/${path}`)) as Answer;
	}

	describeWith(programs, "examples/daemonsets", () => {
		test("each agent runs once on every node", async () => {
			await readme.step("set up");
			for (const agent of ["monitoring/node-exporter", "logging/log-shipper", "discovery/pod-registrar"]) {
				const [namespace = "", app = ""] = agent.split("/");
				const nodes = await rows("pods", [".spec.nodeName"], "-n", namespace, "-l", `app=${app}`);
				expect(nodes.sort()).toEqual(["node-1", "node-2", "node-3"]);
			}
		});

		test("each line of every pod arrives once, with its names, over rotation and restart", async () => {
			await readme.step("the shippers are restarted while the pods talk");
			// Killed, it has no time to write down how far it was.
			const [victim = ""] = await rows("pods", [".metadata.name", ".spec.nodeName"], ...shippers);
			const [name = "", killed = ""] = victim.split(" ");
			const kill = ["-c", "rsyslog", "--", "sh", "-c", "kill -9 $(pidof rsyslogd)"];
			await cluster()
				.kubectl("-n", "logging", "exec", name, ...kill)
				.catch(() => {});
			const restarts = '.status.containerStatuses[?(@.name=="rsyslog")].restartCount';
			await eventually(async () => expect(await rows("pods", [restarts], ...shippers)).toContain("1"));
			const expected = await allArrived();
			const lines = await collected();
			// Nothing is written twice, but for what the killed one had no time to write down: that is the same to the byte.
			const onOthers = expected.filter((line) => !line.includes(` ${killed} `));
			const written = ofTalkers(lines).filter(({ node }) => node !== killed);
			expect(written.map(said).sort()).toEqual(onOthers.sort());
			expect(ofTalkers([...new Set(lines)])).toHaveLength(9000);
			const list = ["exec", name, "-c", "keep", "--", "sh", "-c", "ls /var/log/pods/*/talk/"];
			expect(await cluster().kubectl("-n", "logging", ...list), "the logs were rotated").toMatch(/^0\.log\.\d/m);
			expect(Number(await readme.step("how many lines of the talkers have arrived: 9000 in the end"))).toBe(9000);
			expect(parse(await readme.step("the last of them")).message).toContain("line 3000 of 3000");
		});

		test.runIf(isWhole)("no line is lost when the shippers are restarted while the collector is away", async () => {
			const kubectl = (...args: string[]) => cluster().kubectl(...args);
			const collector = (replicas: number) =>
				kubectl("-n", "logging", "scale", "deployment/log-collector", `--replicas=${replicas}`);
			await collector(0);
			await kubectl("-n", "logging", "wait", "--for=delete", "pod", "-l", "app=log-collector", "--timeout=60s");
			await kubectl("rollout", "restart", "deployment/talker");
			await kubectl("rollout", "status", "deployment/talker", "--timeout=60s");
			await readme.step("the shippers are restarted while the pods talk");
			await collector(1);
			await kubectl("-n", "logging", "rollout", "status", "deployment/log-collector", "--timeout=60s");
			await eventually(async () => expect(await talkers(".metadata.name")).toHaveLength(3));
			const expected = new Set(await allArrived());
			const distinct = ofTalkers([...new Set(await collected())]).filter((record) => expected.has(said(record)));
			expect(distinct).toHaveLength(expected.size);
		});

		test("Prometheus' exporter has the figures of each node", async () => {
			const figures = await readme.step("what the exporter on each node says");
			const names = [...figures.matchAll(/nodename="([^"]+)"/g)].map(([, name]) => name);
			expect(names.sort()).toEqual(["node-1", "node-2", "node-3"]);
			expect(figures.match(/^node_memory_MemTotal_bytes \d/gm)).toHaveLength(3);
		});

		test("the addresses of pods are in Consul as long as the pods run", async () => {
			const registered = (services: readonly CatalogService[]) =>
				services.map(({ Node, ServiceAddress }) => `${Node} ${ServiceAddress}`).sort();
			const known = JSON.parse(
				await readme.step("the addresses of all talkers, as Consul has them"),
			) as CatalogService[];
			expect(registered(known)).toEqual((await talkers(".spec.nodeName", ".status.podIP")).sort());
			await readme.step("pods that come and go");
			await eventually(async () => {
				const left = await talkers(".spec.nodeName", ".status.podIP");
				expect(left).toHaveLength(1);
				expect(registered(await catalog("service/talker"))).toEqual(left);
			});
		});

		test.runIf(isWhole)("a node that comes has its agents and entries, and takes them along when it goes", async () => {
			const pods = await readme.step("a node more: each DaemonSet has a pod on it");
			for (const agent of ["node-exporter", "log-shipper", "pod-registrar"]) expect(pods).toContain(agent);
			await eventually(async () => {
				const { Services } = JSON.parse(await readme.step("what it has in Consul")) as { Services: object };
				expect(Object.keys(Services).sort()).toEqual(
					(
						await rows(
							"pods",
							[".metadata.namespace", ".metadata.name"],
							"-A",
							"--field-selector",
							"spec.nodeName=node-4",
						)
					)
						.map((pod) => pod.replace(" ", "/"))
						.sort(),
				);
			});
			await readme.step("a node less: it goes from Consul as well");
			await eventually(async () => {
				const nodes = await catalog<{ Node: string }[]>("nodes");
				expect(nodes.map(({ Node }) => Node).sort()).toEqual(["node-1", "node-2", "node-3"]);
			});
		});

		test.runIf(isWhole)("no step of the README was left out", async () => {
			await readme.step("clean up");
			expect(readme.leftOut).toEqual([]);
		});
	});
}
