import { describe, expect, test } from "vitest";
import type { Container, Pod, Service } from "../../kinds/generated/types.ts";
import { expand } from "../pod/environment/expansion.ts";
import { serviceEnvironment } from "../pod/environment/service-environment.ts";
import { containerEnvironment } from "./environment.ts";

const service = (name: string, clusterIP: string, ports: { name?: string; port: number }[]): Service => ({
	apiVersion: "v1",
	kind: "Service",
	metadata: { name, namespace: "default", uid: name, resourceVersion: "1", creationTimestamp: "" },
	spec: { clusterIP, ports },
});

const pod: Pod = {
	apiVersion: "v1",
	kind: "Pod",
	metadata: {
		name: "web-0",
		namespace: "default",
		uid: "u1",
		resourceVersion: "1",
		creationTimestamp: "",
		labels: { app: "web", tier: 'a"b' },
	},
	spec: { containers: [], serviceAccountName: "robot" },
};

const sources = {
	references: {
		configMap: async (_namespace: string, name: string) =>
			name === "cm" ? { data: { key: "from-cm", other: "o" } } : undefined,
		secret: async (_namespace: string, name: string) =>
			name === "sec" ? { data: { key: Buffer.from("from-secret").toString("base64") } } : undefined,
	},
	services: [service("db", "10.96.0.9", [{ port: 3306 }])],
	kubernetes: service("kubernetes", "10.96.0.1", [{ name: "https", port: 443 }]),
	fields: {
		nodeName: "node-1",
		hostAddresses: ["10.0.0.1"],
		podAddresses: ["10.244.1.2"],
		allocatable: new Map([["memory", 1024 ** 3]]),
	},
	text: async (volume: string, path: string) =>
		volume === "v" && path === "env" ? "A='from a file'\n" : path === "bad" ? "A=unquoted" : undefined,
};

async function environmentOf(container: Partial<Container>): Promise<Record<string, string>> {
	const spec = { name: "c", ...container };
	const environment = await containerEnvironment({ ...pod, spec: { ...pod.spec, containers: [spec] } }, spec, sources);
	return Object.fromEntries(environment.map(({ name, value }) => [name, value]));
}

describe("environment", () => {
	test("expands variables defined before, and leaves the others as they stand", async () => {
		const env = [
			{ name: "A", value: "a" },
			{ name: "B", value: "$(A)-$(LATER)-$$(A)-$(DB_SERVICE_HOST)" },
			{ name: "LATER", value: "x" },
		];
		expect((await environmentOf({ env }))["B"]).toBe("a-$(LATER)-$(A)-10.96.0.9");
	});
	test("takes values from fields, resources, config maps and secrets", async () => {
		const field = (fieldPath: string) => ({ fieldRef: { fieldPath } });
		const env = [
			{ name: "NAME", valueFrom: field("metadata.name") },
			{ name: "LABEL", valueFrom: field("metadata.labels['app']") },
			{ name: "IP", valueFrom: field("status.podIP") },
			{ name: "ACCOUNT", valueFrom: field("spec.serviceAccountName") },
			{ name: "CPU", valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "1m" } } },
			{ name: "CORES", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } },
			{ name: "MEMORY", valueFrom: { resourceFieldRef: { resource: "limits.memory", divisor: "1Mi" } } },
			{ name: "CM", valueFrom: { configMapKeyRef: { name: "cm", key: "key" } } },
			{ name: "SECRET", valueFrom: { secretKeyRef: { name: "sec", key: "key" } } },
			{ name: "NONE", valueFrom: { secretKeyRef: { name: "absent", key: "key", optional: true } } },
		];
		const found = await environmentOf({ env, resources: { limits: { cpu: "250m" } } });
		expect(found).toMatchObject({
			NAME: "web-0",
			LABEL: "web",
			IP: "10.244.1.2",
			ACCOUNT: "robot",
			CPU: "250",
			CORES: "1",
			MEMORY: "1024",
			CM: "from-cm",
			SECRET: "from-secret",
		});
		expect(found).not.toHaveProperty("NONE");
	});
	test("takes all keys of envFrom, with prefix, and lets env win", async () => {
		const env = [{ name: "P_key", value: "mine" }];
		const found = await environmentOf({ envFrom: [{ prefix: "P_", configMapRef: { name: "cm" } }], env });
		expect(found).toMatchObject({ P_key: "mine", P_other: "o" });
	});
	test.each([
		[{ configMapKeyRef: { name: "absent", key: "k" } }, 'configmap "absent" not found'],
		[{ secretKeyRef: { name: "sec", key: "absent" } }, "couldn't find key absent in Secret default/sec"],
		[{ fieldRef: { fieldPath: "status.phase" } }, "unsupported fieldPath: status.phase"],
	])("says what is missing: %j", async (valueFrom, message) => {
		await expect(environmentOf({ env: [{ name: "X", valueFrom }] })).rejects.toThrow(message);
	});
	test("tells of services as upstream does, and only of the API server without service links", () => {
		const linked = serviceEnvironment(sources.services, sources.kubernetes, true);
		expect(Object.fromEntries([...linked.values()].map(({ name, value }) => [name, value]))).toMatchObject({
			KUBERNETES_SERVICE_HOST: "10.96.0.1",
			KUBERNETES_SERVICE_PORT: "443",
			KUBERNETES_SERVICE_PORT_HTTPS: "443",
			KUBERNETES_PORT: "tcp://10.96.0.1:443",
			DB_PORT_3306_TCP_ADDR: "10.96.0.9",
			DB_PORT_3306_TCP_PROTO: "tcp",
		});
		expect(
			[...serviceEnvironment(sources.services, sources.kubernetes, false).keys()].some((key) => key.startsWith("DB_")),
		).toBe(false);
	});
	test("leaves dollars alone that begin nothing", () => {
		expect(expand("$HOME $( $$ $5", () => "x")).toBe("$HOME $( $ $5");
	});
});

describe("variables from files", () => {
	const of = (path: string, key: string, optional = false) =>
		environmentOf({ env: [{ name: "X", valueFrom: { fileKeyRef: { volumeName: "v", path, key, optional } } }] });

	test("take the value of their key", async () => {
		expect(await of("env", "A")).toMatchObject({ X: "from a file" });
	});

	test("are left out where they are optional and not there", async () => {
		expect(await of("env", "B", true)).not.toHaveProperty("X");
		expect(await of("none", "A", true)).not.toHaveProperty("X");
	});

	test.each([
		["env", "B", 'environment variable key "B" not found in file "env"'],
		["none", "A", 'environment variable key "A" not found in file "none"'],
		["bad", "A", "couldn't parse env file bad: line 1"],
	])("%s %s keeps the container from starting", async (path, key, message) => {
		await expect(of(path, key)).rejects.toThrow(message);
	});
});
