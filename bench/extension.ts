/**
 * Cost of extensions of the API: `npm run bench:extension [-- --crds FOLDER]… [NAME…]`. The definitions come from the
 * folders, or from the project's tests, and are repeated in other groups if there are too few.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parseAllDocuments } from "yaml";
import { type Client, type Cluster, configMaps, customResource, type KubeObject, startCluster } from "../src/index.ts";
import { heldMb, median } from "./measure.ts";

interface Definition {
	kind: string;
	metadata: { name: string };
	spec: { group: string; names: { plural: string }; conversion?: unknown };
	status?: unknown;
}

const { values, positionals } = parseArgs({
	options: { crds: { type: "string", multiple: true } },
	allowPositionals: true,
});
const folders = values.crds ?? ["src/kinds/custom/testdata"];

const found = folders.flatMap((folder) =>
	readdirSync(folder)
		.filter((name) => /\.ya?ml$/.test(name))
		.flatMap((name) => [...parseAllDocuments(readFileSync(join(folder, name), "utf8"))])
		.map((document) => document.toJS() as Definition | null)
		.filter((document) => document?.kind === "CustomResourceDefinition"),
) as Definition[];

/** The same schemas in unique groups. */
function definitions(count: number): Definition[] {
	return Array.from({ length: count }, (_, index) => {
		const { status: _status, ...definition } = structuredClone(found[index % found.length] as Definition);
		const group = `g${index}.example.com`;
		delete definition.spec.conversion;
		return {
			...definition,
			metadata: { name: `${definition.spec.names.plural}.${group}` },
			spec: { ...definition.spec, group },
		};
	});
}

function megabytes(crds: readonly Definition[]): string {
	return `${(Buffer.byteLength(JSON.stringify(crds)) / 2 ** 20).toFixed(1)} MiB of JSON`;
}

function report(what: string, value: string, note = ""): void {
	console.log(`${what.padEnd(64)} ${value.padStart(10)}  ${note}`);
}

interface Start {
	ms: number;
	/** CPU time of all threads: the upper limit of the wall time on an idle machine. */
	cpuMs: number;
}

async function start(options: Parameters<typeof startCluster>[0], then?: () => Promise<void>): Promise<Start> {
	const beginMs = performance.now();
	const cpu = process.cpuUsage();
	const cluster = await startCluster(options);
	const { user, system } = process.cpuUsage(cpu);
	const ms = performance.now() - beginMs;
	await then?.();
	await cluster.stop();
	return { ms, cpuMs: (user + system) / 1000 };
}

function reportStarts(what: string, starts: readonly Start[], note = ""): void {
	const ms = median(starts.map((one) => one.ms));
	const cpuMs = median(starts.map((one) => one.cpuMs));
	report(what, `${ms.toFixed(0)} ms`, `${cpuMs.toFixed(0)} ms CPU${note}`);
}

async function starts(): Promise<void> {
	const crds = definitions(50);
	const size = `; ${megabytes(crds)}`;
	reportStarts("startCluster with 50 definitions, the first of a process", [await start({ crds })], size);
	const plain: Start[] = [];
	const extended: Start[] = [];
	for (let round = 0; round < 7; round++) {
		plain.push(await start({}));
		extended.push(await start({ crds }));
	}
	reportStarts("startCluster with 50 definitions, later ones", extended, "; median of 7");
	reportStarts("startCluster without definitions, later ones", plain, "; median of 7");
}

async function stored(): Promise<void> {
	const folder = mkdtempSync(join(tmpdir(), "cox-bench-"));
	const store = { folder };
	try {
		await start({ nodes: 0, store });
		const plain = await opened(store);
		const size = await fill(store);
		const all = await opened(store);
		const cpuMs = (all.cpuMs - plain.cpuMs).toFixed(0);
		report("500 definitions loaded from the store", `${(all.ms - plain.ms).toFixed(0)} ms`, `${cpuMs} ms CPU; ${size}`);
		report("  memory that they keep", `${(all.mb - plain.mb).toFixed(0)} MiB`);
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

async function fill(store: { folder: string }): Promise<string> {
	const crds = definitions(500);
	await start({ nodes: 0, store, crds });
	return megabytes(crds);
}

interface Opened extends Start {
	/** Memory of heap and buffers once the cluster has started. */
	mb: number;
}

async function opened(store: { folder: string }): Promise<Opened> {
	const all: Opened[] = [];
	for (let round = 0; round < 3; round++) all.push(await openedOnce(store));
	const middle = (figure: keyof Opened) => median(all.map((one) => one[figure]));
	return { ms: middle("ms"), cpuMs: middle("cpuMs"), mb: middle("mb") };
}

/** A separate function, so that nothing references the cluster afterwards. */
async function openedOnce(store: { folder: string }): Promise<Opened> {
	const before = await heldMb();
	let mb = 0;
	const taken = await start({ nodes: 0, store }, async () => {
		mb = (await heldMb()) - before;
	});
	return { ...taken, mb };
}

const policy = (name: string) => [
	{
		apiVersion: "admissionregistration.k8s.io/v1",
		kind: "ValidatingAdmissionPolicy",
		metadata: { name },
		spec: {
			failurePolicy: "Fail",
			matchConstraints: {
				resourceRules: [
					{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE", "UPDATE"], resources: ["configmaps"] },
				],
			},
			validations: [
				{
					expression:
						"has(object.data.mode) && object.data.mode in ['safe', 'fast'] && object.metadata.name.size() < 60",
				},
			],
		},
	},
	{
		apiVersion: "admissionregistration.k8s.io/v1",
		kind: "ValidatingAdmissionPolicyBinding",
		metadata: { name },
		spec: { policyName: name, validationActions: ["Deny"] },
	},
];

let made = 0;
const draft = () => ({
	apiVersion: "v1",
	kind: "ConfigMap",
	metadata: { name: `bench-${++made}`, namespace: "default", labels: { app: "bench" } },
	data: { mode: "safe", text: "x".repeat(100) },
});

/** CPU time of one operation in microseconds: unlike wall time, it hardly depends on the load of the machine. */
async function cpuUs(count: number, work: () => Promise<unknown>): Promise<number> {
	const begin = process.cpuUsage();
	for (let index = 0; index < count; index++) await work();
	const { user, system } = process.cpuUsage(begin);
	return (user + system) / count;
}

function createUs(client: Client, count: number): Promise<number> {
	return cpuUs(count, () => client.create(configMaps, draft()));
}

/** Alternates between two clusters, so that the load of the machine affects both. */
async function turns(one: (count: number) => Promise<number>, other: (count: number) => Promise<number>) {
	const figures: [number[], number[]] = [[], []];
	await one(2000);
	await other(2000);
	for (let round = 0; round < 15; round++) {
		figures[0].push(await one(400));
		figures[1].push(await other(400));
	}
	return figures.map(median) as [number, number];
}

async function admission(): Promise<void> {
	const count = 10;
	await using plain = await startCluster({ nodes: 0 });
	await using guarded = await startCluster({ nodes: 0 });
	for (let index = 0; index < count; index++) await guarded.apply(policy(`p${index}`));
	await untilEnforced(guarded);
	const [without, withPolicies] = await turns(
		(times) => createUs(plain.client, times),
		(times) => createUs(guarded.client, times),
	);
	const each = (withPolicies - without) / count;
	report(
		"admission by a ValidatingAdmissionPolicy",
		`${each.toFixed(1)} µs`,
		`of ${count}; create ${without.toFixed(0)} µs`,
	);
	const rules = [{ operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] }];
	await using hooked = await startCluster({
		nodes: 0,
		webhooks: [{ name: "bench.example.com", type: "validating", rules, handle() {} }],
	});
	const [bare, called] = await turns(
		(times) => createUs(plain.client, times),
		(times) => createUs(hooked.client, times),
	);
	report("admission by an in-process webhook", `${(called - bare).toFixed(0)} µs`);
}

/** Policies take effect with the first denial. */
async function untilEnforced({ client }: Cluster): Promise<void> {
	for (;;) {
		const { metadata } = draft();
		const wrong = { metadata: { ...metadata, namespace: "default" }, data: { mode: "other" } };
		if (
			await client.create(configMaps, wrong).then(
				() => false,
				() => true,
			)
		)
			return;
	}
}

interface Boat extends KubeObject {
	data: object;
}

const boat = customResource<Boat>({ group: "sea.example.com", version: "v1", kind: "Boat", plural: "boats" });
const boatDefinition = {
	apiVersion: "apiextensions.k8s.io/v1",
	kind: "CustomResourceDefinition",
	metadata: { name: "boats.sea.example.com" },
	spec: {
		group: "sea.example.com",
		scope: "Namespaced",
		names: { plural: "boats", kind: "Boat" },
		versions: [
			{
				name: "v1",
				served: true,
				storage: true,
				schema: {
					openAPIV3Schema: {
						type: "object",
						properties: {
							data: {
								type: "object",
								properties: {
									mode: { type: "string", enum: ["safe", "fast"] },
									text: { type: "string", maxLength: 1000 },
								},
							},
						},
					},
				},
			},
		],
	},
};

async function customResources(): Promise<void> {
	await using cluster = await startCluster({ nodes: 0, crds: [boatDefinition] });
	const create = (count: number) =>
		cpuUs(count, () => {
			const { metadata, data } = draft();
			return cluster.client.create(boat, { metadata, data });
		});
	const [plain, custom] = await turns((count) => createUs(cluster.client, count), create);
	const share = `${((plain / custom) * 100).toFixed(0)} %`;
	report(
		"creates of custom resources, as a share of ConfigMaps'",
		share,
		`${custom.toFixed(0)} µs, ${plain.toFixed(0)} µs`,
	);
}

const scenarios: Record<string, () => Promise<void>> = { starts, stored, admission, customResources };
for (const name of positionals.length === 0 ? Object.keys(scenarios) : positionals) {
	const scenario = scenarios[name];
	if (scenario === undefined) throw new Error(`there is no ${name}; there are ${Object.keys(scenarios).join(", ")}`);
	await scenario();
}
