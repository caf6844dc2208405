/** What a pod finds about itself: variables, downward API, host names. */
import { expect, test } from "vitest";
import { eventually } from "../e2e/cluster.ts";
import { conformance, strategic } from "./harness.ts";
import { images, podOf, shell } from "./objects.ts";

conformance("environment of pods", "shared", (target) => {
	test.concurrent("has a host address, and environment variables of services", async () => {
		await using space = await target().namespace("pod-env");
		const server = await space.run(
			podOf("server", { args: ["serve-hostname"], ports: [{ containerPort: 9376 }] }, {}, { labels: { name: "srv" } }),
		);
		expect(server.status.hostIP).toMatch(/^[\d.]+$/);
		expect(server.status.hostIPs).toEqual([{ ip: server.status.hostIP }]);
		const service = await target().post(space.core("services"), {
			metadata: { name: "fooservice" },
			spec: { ports: [{ port: 8765, targetPort: 8080 }], selector: { name: "srv" } },
		});
		const output = await eventually(async () => {
			const name = `client-${Date.now()}`;
			const text = await space.output(podOf(name, shell("env")));
			expect(text).toContain("FOOSERVICE_SERVICE_HOST=");
			return text;
		});
		const ip = service.spec.clusterIP;
		for (const line of [
			`FOOSERVICE_SERVICE_HOST=${ip}`,
			"FOOSERVICE_SERVICE_PORT=8765",
			`FOOSERVICE_PORT=tcp://${ip}:8765`,
			"FOOSERVICE_PORT_8765_TCP_PORT=8765",
			"FOOSERVICE_PORT_8765_TCP_PROTO=tcp",
			`FOOSERVICE_PORT_8765_TCP=tcp://${ip}:8765`,
			`FOOSERVICE_PORT_8765_TCP_ADDR=${ip}`,
		])
			expect(output).toContain(line);
	});

	test.concurrent("fields, resources, ConfigMaps, Secrets and expansions are values of variables", async () => {
		await using space = await target().namespace("env");
		await target().post(space.core("configmaps"), {
			metadata: { name: "config" },
			data: { "data-1": "value-1", data_2: "value-2" },
		});
		await target().post(space.core("secrets"), {
			metadata: { name: "secret" },
			stringData: { "data-1": "secret-1", data_3: "secret-3" },
		});
		const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
		const resource = (name: string, what: string) => ({ name, valueFrom: { resourceFieldRef: { resource: what } } });
		const env = [
			field("POD_NAME", "metadata.name"),
			field("POD_NAMESPACE", "metadata.namespace"),
			field("POD_IP", "status.podIP"),
			field("HOST_IP", "status.hostIP"),
			field("POD_UID", "metadata.uid"),
			resource("CPU_LIMIT", "limits.cpu"),
			resource("MEMORY_LIMIT", "limits.memory"),
			resource("CPU_REQUEST", "requests.cpu"),
			resource("MEMORY_REQUEST", "requests.memory"),
			{ name: "CONFIG", valueFrom: { configMapKeyRef: { name: "config", key: "data-1" } } },
			{ name: "SECRET", valueFrom: { secretKeyRef: { name: "secret", key: "data-1" } } },
			{ name: "FOO", value: "foo-value" },
			{ name: "FOOBAR", value: "$(FOO);;$(CONFIG)" },
		];
		const envFrom = [{ configMapRef: { name: "config" } }, { prefix: "p-", secretRef: { name: "secret" } }];
		const resources = { requests: { cpu: "250m", memory: "32Mi" }, limits: { cpu: "1250m", memory: "64Mi" } };
		const output = await space.output(podOf("downward", shell("env", { env, envFrom, resources })));
		const pod = await target().get(space.core("pods", "downward"));
		for (const line of [
			"POD_NAME=downward",
			`POD_NAMESPACE=${space.name}`,
			`POD_IP=${pod.status.podIP}`,
			`HOST_IP=${pod.status.hostIP}`,
			`POD_UID=${pod.metadata.uid}`,
			"CPU_LIMIT=2",
			"MEMORY_LIMIT=67108864",
			"CPU_REQUEST=1",
			"MEMORY_REQUEST=33554432",
			"CONFIG=value-1",
			"SECRET=secret-1",
			"FOOBAR=foo-value;;value-1",
			"data-1=value-1",
			"data_2=value-2",
			"p-data_3=secret-3",
		])
			expect(output.split("\n")).toContain(line);
		const defaults = await space.output(
			podOf(
				"defaults",
				shell("env", { env: [resource("CPU_LIMIT", "limits.cpu"), resource("MEMORY_LIMIT", "limits.memory")] }),
			),
		);
		expect(defaults).toMatch(/^CPU_LIMIT=[1-9]\d*$/m);
		expect(defaults).toMatch(/^MEMORY_LIMIT=[1-9]\d*$/m);
		const arguments_ = podOf("args", {
			image: images.busybox,
			command: ["sh", "-c", "echo $(TEST)-$$(TEST)"],
			env: [{ name: "TEST", value: "test-value" }],
		});
		expect(await space.output(arguments_)).toContain("test-value-");
	});

	test.concurrent("downward volumes follow the labels and annotations of the pod", async () => {
		await using space = await target().namespace("downward-update");
		const item = (path: string) => ({ path, fieldRef: { fieldPath: `metadata.${path}` } });
		const volume = { name: "info", downwardAPI: { items: [item("labels"), item("annotations")] } };
		const script = "while ! cat /info/labels /info/annotations | grep third; do sleep 0.1; done";
		for (const kind of ["labels", "annotations"]) {
			const pod = podOf(kind, shell(script, { volumeMounts: [{ name: "info", mountPath: "/info" }] }), {
				volumes: [volume],
				restartPolicy: "Never",
			});
			await target().post(space.core("pods"), pod);
			await space.until(space.core("pods", kind), ({ status }) => status.phase === "Running");
			await target().patch(space.core("pods", kind), strategic, { metadata: { [kind]: { third: "value3" } } });
			await space.until(space.core("pods", kind), ({ status }) => status.phase === "Succeeded");
			expect(await space.kubectl("logs", kind)).toBe('third="value3"\n');
		}
	});

	test.concurrent("sub-paths are expanded from variables, and absolute ones and backticks refused", async () => {
		await using space = await target().namespace("subpath");
		const volumes = [{ name: "workdir1", emptyDir: {} }];
		const pod = (name: string, subPathExpr: string, value: string, script = "true") =>
			podOf(
				name,
				shell(script, {
					env: [{ name: "V", value }],
					volumeMounts: [
						{ name: "workdir1", mountPath: "/logscontainer", subPathExpr },
						{ name: "workdir1", mountPath: "/testcontainer" },
					],
				}),
				{ volumes },
			);
		await space.output(
			pod(
				"good",
				"$(V)",
				"foo",
				"test -d /testcontainer/foo; sh -c 'echo x > /logscontainer/test.txt'; test -f /testcontainer/foo/test.txt",
			),
		);
		for (const [name, value] of [
			["absolute", "/tmp"],
			["backticks", ".."],
		] as const) {
			await target().post(space.core("pods"), pod(name, "$(V)", value));
			const failed = await space.until(
				space.core("pods", name),
				({ status }) => status.containerStatuses?.[0]?.state.waiting?.reason === "CreateContainerConfigError",
			);
			expect(failed.status.phase).toBe("Pending");
		}
	});

	test.concurrent("the kubelet's /etc/hosts, host aliases, and logs of a command", async () => {
		await using space = await target().namespace("kubelet");
		const hostAliases = [{ ip: "123.45.67.89", hostnames: ["foo", "bar"] }];
		const output = await space.output(podOf("aliases", { args: ["etc-hosts"] }, { hostAliases }));
		expect(output).toContain("# Kubernetes-managed hosts file");
		expect(output).toContain("123.45.67.89\tfoo\tbar");
		const hosts = "cat /etc/hosts";
		expect(await space.output(podOf("host-network", shell(hosts), { hostNetwork: true }))).not.toContain(
			"# Kubernetes-managed hosts file.",
		);
		const mounted = podOf("mounted", shell(hosts, { volumeMounts: [{ name: "hosts", mountPath: "/etc/hosts" }] }), {
			volumes: [{ name: "hosts", hostPath: { path: "/etc/hosts", type: "File" } }],
		});
		expect(await space.output(mounted)).not.toContain("# Kubernetes-managed hosts file");
		expect(await space.output(podOf("busybox", shell("echo 'Hello World' ; sleep 1")))).toBe("Hello World\n");
		const failed = podOf("always-fails", { image: images.busybox, command: ["/bin/false"] });
		await target().post(space.core("pods"), failed);
		const { status } = await space.ended("always-fails");
		expect(status.containerStatuses[0].state.terminated.reason).toBe("Error");
		await target().delete(space.core("pods", "always-fails"));
		await space.gone(space.core("pods", "always-fails"));
	});
});
