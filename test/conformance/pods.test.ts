import { describe, expect, test } from "vitest";
import { eventually } from "../e2e/cluster.ts";
import {
	condition,
	conformance,
	images,
	isReady,
	type Json,
	json,
	merge,
	type Namespace,
	podOf,
	slow,
	strategic,
} from "./harness.ts";

const shell = (script: string, more: Json = {}) => ({ image: images.busybox, command: ["sh", "-c", script], ...more });
const log = (space: Namespace, pod: string) => space.kubectl("logs", pod);
const restarts = (pod: Json): number => pod.status.containerStatuses?.[0]?.restartCount ?? 0;

conformance("Pods", 2, (target) => {
	test.concurrent("is submitted, seen running, and removed", async () => {
		await using space = await target().namespace("pod-life");
		const { metadata } = await target().get(`${space.core("pods")}?labelSelector=time%3D1`);
		await target().post(
			space.core("pods"),
			podOf(
				"pod-submit",
				{ image: images.nginx },
				{ restartPolicy: "Always", terminationGracePeriodSeconds: 30 },
				{ labels: { time: "1" } },
			),
		);
		const events = `${space.core("pods")}?labelSelector=time%3D1`;
		await target().watch(events, metadata.resourceVersion, ({ type }) => type === "ADDED");
		const pod = await space.running("pod-submit");
		await target().delete(space.core("pods", "pod-submit"), { gracePeriodSeconds: 30 });
		const marked = await target().watch(
			events,
			pod.metadata.resourceVersion,
			({ object }) => object.metadata.deletionTimestamp !== undefined,
		);
		expect(marked.object.metadata.deletionGracePeriodSeconds).toBe(30);
		const last = await target().watch(events, pod.metadata.resourceVersion, ({ type }) => type === "DELETED");
		expect(last.object.metadata.deletionTimestamp).toBeDefined();
		expect((await target().get(events)).items).toEqual([]);
	});

	test.concurrent("labels are updated, and activeDeadlineSeconds ends it", async () => {
		await using space = await target().namespace("pod-update");
		await space.run(
			podOf("pod-update", { image: images.pause }, { restartPolicy: "Always" }, { labels: { time: "1" } }),
		);
		await target().update(space.core("pods", "pod-update"), (pod) => {
			pod.metadata.labels.time = "2";
		});
		expect(await space.pods("time=2")).toHaveLength(1);
		await target().update(space.core("pods", "pod-update"), (pod) => {
			pod.spec.activeDeadlineSeconds = 1;
		});
		const ended = await space.ended("pod-update");
		expect(ended.status).toMatchObject({ phase: "Failed", reason: "DeadlineExceeded" });
	});

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

	test.concurrent("a collection of pods is deleted", async () => {
		await using space = await target().namespace("pod-collection");
		for (const index of [1, 2, 3])
			await target().post(
				space.core("pods"),
				podOf(
					`test-pod-${index}`,
					shell("sleep 1000"),
					{ terminationGracePeriodSeconds: 1 },
					{ labels: { type: "Testing" } },
				),
			);
		await target().delete(`${space.core("pods")}?labelSelector=type%3DTesting`);
		await eventually(async () => expect(await space.pods("type=Testing")).toEqual([]));
	});

	test.concurrent("the lifecycle of a pod and its status", async () => {
		await using space = await target().namespace("pod-status");
		const { metadata } = await target().get(space.core("pods"));
		const events = `${space.core("pods")}?labelSelector=test-pod-static%3Dtrue`;
		await target().post(
			space.core("pods"),
			podOf(
				"pod-test",
				{},
				{ terminationGracePeriodSeconds: 1, restartPolicy: "Always" },
				{ labels: { "test-pod-static": "true" } },
			),
		);
		const running = await target().watch(events, metadata.resourceVersion, ({ object }) => isReady(object));
		const patch = {
			metadata: { labels: { "test-pod": "patched" } },
			spec: { terminationGracePeriodSeconds: 1, containers: [{ name: "main", image: images.pause }] },
		};
		await target().patch(space.core("pods", "pod-test"), strategic, patch);
		const changed = await target().watch(
			events,
			running.object.metadata.resourceVersion,
			({ object }) => object.metadata.labels["test-pod"] === "patched",
		);
		expect(changed.object.spec.containers[0].image).toBe(images.pause);
		const updated = await target().update(
			space.core("pods", "pod-test"),
			(pod) => {
				pod.status.conditions = pod.status.conditions.map((entry: Json) =>
					entry.type === "Ready" ? { ...entry, status: "False" } : entry,
				);
			},
			"/status",
		);
		expect(condition(updated, "Ready").status).toBe("False");
		const patched = await target().patch(`${space.core("pods", "pod-test")}/status`, strategic, {
			status: { message: "Patched by e2e test", reason: "E2E" },
		});
		expect(patched.status).toMatchObject({ message: "Patched by e2e test", reason: "E2E" });
		await target().delete(events);
		await target().watch(events, metadata.resourceVersion, ({ type }) => type === "DELETED");
	});

	test.concurrent("QoS classes are set", async () => {
		await using space = await target().namespace("pod-qos");
		const resources = { cpu: "100m", memory: "100Mi" };
		const pod = await target().post(
			space.core("pods"),
			podOf("pod-qos", { image: images.pause, resources: { limits: resources, requests: resources } }),
		);
		expect(pod.status.qosClass).toBe("Guaranteed");
	});

	test.concurrent("a pre-stop hook is called before the pod goes", async () => {
		await using space = await target().namespace("prestop");
		const server = await space.run(podOf("server", { args: ["nettest"], ports: [{ containerPort: 8080 }] }));
		const preStop = {
			exec: {
				command: ["wget", "-O-", '--post-data={"Source": "prestop"}', `http://${server.status.podIP}:8080/write`],
			},
		};
		await space.run(
			podOf("tester", shell("sleep 600", { lifecycle: { preStop } }), { terminationGracePeriodSeconds: 5 }),
		);
		await target().delete(space.core("pods", "tester"));
		await eventually(async () => {
			const state = await target().send("GET", `${space.core("pods", "server:8080")}/proxy/read`, undefined, {
				Accept: "*/*",
			});
			expect(JSON.parse(state.body).Received).toEqual({ prestop: 1 });
		});
	});

	describe.concurrent("lifecycle hooks", () => {
		test.concurrent("run a command or a request after the start and before the stop", async () => {
			await using space = await target().namespace("hooks");
			const handler = await space.run(podOf("handler", { args: ["netexec"], ports: [{ containerPort: 8080 }] }));
			const ip = handler.status.podIP;
			const hooks = {
				"post-exec": { postStart: { exec: { command: ["sh", "-c", `curl http://${ip}:8080/echo?msg=post-exec`] } } },
				"post-http": { postStart: { httpGet: { host: ip, port: 8080, path: "/echo?msg=post-http" } } },
				"pre-exec": { preStop: { exec: { command: ["sh", "-c", `curl http://${ip}:8080/echo?msg=pre-exec`] } } },
				"pre-http": { preStop: { httpGet: { host: ip, port: 8080, path: "/echo?msg=pre-http" } } },
			};
			for (const [name, lifecycle] of Object.entries(hooks))
				await space.run(podOf(name, { image: images.pause, lifecycle }, { terminationGracePeriodSeconds: 5 }));
			for (const name of ["pre-exec", "pre-http"]) await target().delete(space.core("pods", name));
			await eventually(async () => {
				const text = await log(space, "handler");
				for (const name of Object.keys(hooks)) expect(text).toContain(`GET /echo?msg=${name}`);
			});
		});
	});

	describe.concurrent("init containers", () => {
		const init = (name: string, program: string) => ({ name, image: images.busybox, command: [program] });

		test.concurrent("run in turn before those of a pod that ends, and of one that goes on", async () => {
			await using space = await target().namespace("init");
			const initContainers = [init("init1", "/bin/true"), init("init2", "/bin/true")];
			await target().post(
				space.core("pods"),
				podOf("never", { image: images.busybox, command: ["/bin/true"] }, { initContainers }),
			);
			const never = await space.ended("never");
			expect(never.status).toMatchObject({ phase: "Succeeded" });
			expect(condition(never, "Initialized").status).toBe("True");
			expect(
				never.status.initContainerStatuses.map((status: Json) => [status.ready, status.state.terminated.exitCode]),
			).toEqual([
				[true, 0],
				[true, 0],
			]);
			const always = await space.run(
				podOf("always", { image: images.pause }, { initContainers, restartPolicy: "Always" }),
			);
			expect(condition(always, "Initialized").status).toBe("True");
		});

		test.concurrent("that fail keep the others from starting: for good, or until they succeed", async () => {
			await using space = await target().namespace("init-fail");
			const initContainers = [init("init1", "/bin/true"), init("init2", "/bin/false")];
			await target().post(
				space.core("pods"),
				podOf("never", { image: images.busybox, command: ["/bin/true"] }, { initContainers }),
			);
			const never = await space.ended("never");
			expect(never.status.phase).toBe("Failed");
			expect(condition(never, "Initialized")).toMatchObject({
				status: "False",
				reason: "ContainersNotInitialized",
				message: "containers with incomplete status: [init2]",
			});
			expect(never.status.containerStatuses[0].state.waiting.reason).toBe("PodInitializing");
			const failing = [init("init1", "/bin/false"), init("init2", "/bin/true")];
			await target().post(
				space.core("pods"),
				podOf("always", { image: images.pause }, { initContainers: failing, restartPolicy: "Always" }),
			);
			const always = await space.until(
				space.core("pods", "always"),
				(pod) => (pod.status.initContainerStatuses?.[0]?.restartCount ?? 0) >= 2,
				60_000,
			);
			expect(always.status.phase).toBe("Pending");
			expect(condition(always, "Initialized").message).toBe("containers with incomplete status: [init1 init2]");
			expect(always.status.initContainerStatuses[1].state.waiting.reason).toBe("PodInitializing");
		}, 90_000);
	});

	describe.concurrent("probes", () => {
		test.concurrent("readiness waits for its initial delay, and never comes for a probe that fails", async () => {
			await using space = await target().namespace("readiness");
			await target().post(
				space.core("pods"),
				podOf(
					"bad",
					{ args: ["test-webserver"], readinessProbe: { exec: { command: ["/bin/false"] }, periodSeconds: 1 } },
					{ restartPolicy: "Always" },
				),
			);
			const readinessProbe = { httpGet: { path: "/", port: 80 }, initialDelaySeconds: 5, periodSeconds: 1 };
			const good = await space.run(
				podOf(
					"good",
					{ args: ["test-webserver"], ports: [{ containerPort: 80 }], readinessProbe },
					{ restartPolicy: "Always" },
				),
			);
			const started = Date.parse(good.status.containerStatuses[0].state.running.startedAt);
			expect(Date.parse(condition(good, "Ready").lastTransitionTime) - started).toBeGreaterThanOrEqual(4000);
			const bad = await target().get(space.core("pods", "bad"));
			expect([isReady(bad), restarts(bad), restarts(good)]).toEqual([false, 0, 0]);
		});

		test.concurrent("liveness restarts: command, HTTP, gRPC", async () => {
			await using space = await target().namespace("liveness");
			const soon = { initialDelaySeconds: 3, periodSeconds: 1, failureThreshold: 1 };
			const pods = {
				exec: shell("echo ok >/tmp/health; sleep 4; rm -rf /tmp/health; sleep 600", {
					livenessProbe: { exec: { command: ["cat", "/tmp/health"] }, ...soon },
				}),
				http: { args: ["liveness"], livenessProbe: { httpGet: { path: "/healthz", port: 8080 }, ...soon } },
				grpc: { args: ["grpc-health-checking"], livenessProbe: { grpc: { port: 2333 }, ...soon } },
			};
			for (const [name, container] of Object.entries(pods))
				await target().post(space.core("pods"), podOf(name, container, { restartPolicy: "Always" }));
			for (const name of Object.keys(pods))
				await space.until(space.core("pods", name), (pod) => restarts(pod) >= 1, 60_000);
		}, 90_000);

		test.concurrent("liveness leaves healthy ones alone: command, TCP, HTTP, gRPC", async () => {
			await using space = await target().namespace("healthy");
			const often = { initialDelaySeconds: 1, periodSeconds: 1, failureThreshold: 1 };
			const pods = {
				exec: shell("echo ok >/tmp/health; sleep 600", {
					livenessProbe: { exec: { command: ["cat", "/tmp/health"] }, ...often },
				}),
				tcp: { args: ["liveness"], livenessProbe: { tcpSocket: { port: 8080 }, ...often } },
				http: { args: ["test-webserver"], livenessProbe: { httpGet: { path: "/", port: 80 }, ...often } },
				grpc: { args: ["grpc-health-checking"], livenessProbe: { grpc: { port: 5000 }, ...often } },
			};
			for (const [name, container] of Object.entries(pods))
				await space.run(podOf(name, container, { restartPolicy: "Always" }));
			await new Promise((resolve) => setTimeout(resolve, 6000));
			for (const pod of await space.pods()) expect([pod.metadata.name, restarts(pod)]).toEqual([pod.metadata.name, 0]);
		});

		slow.concurrent(
			"restart counts only rise",
			async () => {
				await using space = await target().namespace("rising");
				await target().post(
					space.core("pods"),
					podOf(
						"rising",
						{
							args: ["liveness"],
							livenessProbe: {
								httpGet: { path: "/healthz", port: 8080 },
								initialDelaySeconds: 5,
								failureThreshold: 1,
								periodSeconds: 3,
							},
						},
						{ restartPolicy: "Always" },
					),
				);
				await space.until(space.core("pods", "rising"), (pod) => restarts(pod) >= 4, 280_000);
			},
			300_000,
		);
	});

	describe.concurrent("container runtime", () => {
		test.concurrent("phases and restart counts follow exit codes and the restart policy", async () => {
			await using space = await target().namespace("runtime");
			const fails = "if [ -f /data/once ]; then exit 0; fi; touch /data/once; exit 1";
			const volumes = [{ name: "data", emptyDir: {} }];
			const container = shell(fails, { volumeMounts: [{ name: "data", mountPath: "/data" }] });
			await target().post(space.core("pods"), podOf("on-failure", container, { volumes, restartPolicy: "OnFailure" }));
			await target().post(space.core("pods"), podOf("never", container, { volumes, restartPolicy: "Never" }));
			await target().post(space.core("pods"), podOf("always", shell("exit 1"), { restartPolicy: "Always" }));
			const onFailure = await space.ended("on-failure");
			expect([onFailure.status.phase, restarts(onFailure)]).toEqual(["Succeeded", 1]);
			const never = await space.ended("never");
			expect([never.status.phase, restarts(never), never.status.containerStatuses[0].state.terminated.reason]).toEqual([
				"Failed",
				0,
				"Error",
			]);
			await space.until(space.core("pods", "always"), (pod) => restarts(pod) >= 2, 60_000);
		}, 90_000);

		test.concurrent("termination messages come from the file, or from the log after an error", async () => {
			await using space = await target().namespace("message");
			const cases: [string, Json, string, string][] = [
				[
					"log-on-error",
					shell("/bin/echo -n DONE; /bin/false", { terminationMessagePolicy: "FallbackToLogsOnError" }),
					"Failed",
					"DONE",
				],
				[
					"no-log-on-success",
					shell("/bin/echo -n DONE; /bin/true", { terminationMessagePolicy: "FallbackToLogsOnError" }),
					"Succeeded",
					"",
				],
				[
					"file",
					shell("/bin/echo -n OK > /dev/termination-log; /bin/echo DONE; /bin/true", {
						terminationMessagePolicy: "FallbackToLogsOnError",
					}),
					"Succeeded",
					"OK",
				],
				[
					"own-path",
					shell("/bin/echo -n DONE > /dev/termination-custom-log", {
						terminationMessagePath: "/dev/termination-custom-log",
						securityContext: { runAsUser: 1000 },
					}),
					"Succeeded",
					"DONE",
				],
			];
			for (const [name, container] of cases) await target().post(space.core("pods"), podOf(name, container));
			for (const [name, , phase, message] of cases) {
				const { status } = await space.ended(name);
				expect([name, status.phase, status.containerStatuses[0].state.terminated.message ?? ""]).toEqual([
					name,
					phase,
					message,
				]);
			}
		});

		test.concurrent("images' commands and arguments are overridden", async () => {
			await using space = await target().namespace("command");
			const args = ["entrypoint-tester", "override", "arguments"];
			await space.run(podOf("defaults", {}));
			expect(await log(space, "defaults")).toBe("Paused\n");
			expect(await space.output(podOf("args", { args }))).toBe("[/agnhost entrypoint-tester override arguments]\n");
			expect(await space.output(podOf("command", { command: ["/agnhost-2", "entrypoint-tester"] }))).toBe(
				"[/agnhost-2 entrypoint-tester]\n",
			);
			expect(await space.output(podOf("both", { command: ["/agnhost-2"], args }))).toBe(
				"[/agnhost-2 entrypoint-tester override arguments]\n",
			);
		});

		test.concurrent("security contexts: user, group, root file system, privileges", async () => {
			await using space = await target().namespace("security");
			expect(await space.output(podOf("user", shell("id -u", { securityContext: { runAsUser: 65534 } })))).toBe(
				"65534\n",
			);
			const ids = { runAsUser: 1001, runAsGroup: 2002 };
			expect(await space.output(podOf("pod-ids", shell("id"), { securityContext: ids }))).toContain(
				"uid=1001 gid=2002",
			);
			expect(await space.output(podOf("own-ids", shell("id", { securityContext: ids })))).toContain(
				"uid=1001 gid=2002",
			);
			const readOnly = podOf(
				"read-only",
				shell("echo test > /file", { securityContext: { readOnlyRootFilesystem: true } }),
			);
			expect(await space.output(readOnly, "Failed")).toMatch(/Read-only file system/);
			await space.output(
				podOf("writable", shell("echo checking > /file", { securityContext: { readOnlyRootFilesystem: false } })),
			);
			const link = podOf(
				"unprivileged",
				shell("ip link add dummy0 type dummy || true", { securityContext: { privileged: false } }),
			);
			expect(await space.output(link)).toMatch(/Operation not permitted|not found/);
			const escalation = podOf("escalation", {
				image: "registry.k8s.io/e2e-test-images/nonewprivs:1.3",
				securityContext: { runAsUser: 1000, allowPrivilegeEscalation: false },
			});
			expect(await space.output(escalation)).toContain("Effective uid: 1000");
		});

		test.concurrent("sysctls are set, and bad names refused", async () => {
			await using space = await target().namespace("sysctl");
			const spec = (sysctls: Json[]) => ({ securityContext: { sysctls } });
			const output = await space.output(
				podOf(
					"good",
					shell("/bin/cat /proc/sys/kernel/shm_rmid_forced"),
					spec([{ name: "kernel.shm_rmid_forced", value: "1" }]),
				),
			);
			expect(output).toBe("1\n");
			const bad = await target().send(
				"POST",
				space.core("pods"),
				podOf(
					"bad",
					{},
					spec([
						{ name: "foo-", value: "bar" },
						{ name: "bar..", value: "42" },
					]),
				),
			);
			expect(bad.status).toBe(422);
			expect(bad.body.message).toMatch(/Invalid value: "foo-".*Invalid value: "bar\.\."/);
		});
	});

	describe.concurrent("environment and downward API", () => {
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
	});

	test.concurrent("ephemeral containers are added, one after the other", async () => {
		await using space = await target().namespace("ephemeral");
		await space.run(podOf("debugged", { image: images.pause }));
		const path = `${space.core("pods", "debugged")}/ephemeralcontainers`;
		const add = (name: string) => ({
			name,
			image: images.busybox,
			command: ["sh", "-c", "echo marker; sleep 1000"],
			stdin: true,
			tty: true,
		});
		await target().patch(path, strategic, { spec: { ephemeralContainers: [add("debugger")] } });
		const isUp = (name: string) => (pod: Json) =>
			pod.status.ephemeralContainerStatuses?.some(
				(status: Json) => status.name === name && status.state.running !== undefined,
			);
		await space.until(space.core("pods", "debugged"), isUp("debugger"));
		await eventually(async () => expect(await space.kubectl("logs", "debugged", "-c", "debugger")).toContain("marker"));
		await target().update(path, (pod) => pod.spec.ephemeralContainers.push(add("debugger2")));
		const pod = await space.until(space.core("pods", "debugged"), isUp("debugger2"));
		expect(pod.spec.ephemeralContainers).toHaveLength(2);
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

	test.concurrent("a runtime class's overhead is set, and a class that does not exist refused", async () => {
		await using space = await target().namespace("runtimeclass");
		const missing = await target().send(
			"POST",
			space.core("pods"),
			podOf("missing", {}, { runtimeClassName: `${space.name}-none` }),
		);
		expect(missing).toMatchObject({ status: 403, body: { reason: "Forbidden" } });
		const name = `${space.name}-class`;
		await target().post("/apis/node.k8s.io/v1/runtimeclasses", {
			metadata: { name },
			handler: "runc",
			overhead: { podFixed: { cpu: "10m", memory: "1Mi" } },
		});
		const pod = await target().post(
			space.core("pods"),
			podOf("overhead", { image: images.pause }, { runtimeClassName: name }),
		);
		expect(pod.spec.overhead).toEqual({ cpu: "10m", memory: "1Mi" });
		await space.until(space.core("pods", "overhead"), (object) => condition(object, "PodScheduled")?.status === "True");
		await target().delete(`/apis/node.k8s.io/v1/runtimeclasses/${name}`);
	});

	test.concurrent("finalizers hold a pod, and JSON patches take them away", async () => {
		await using space = await target().namespace("finalizer");
		await space.run(podOf("held", { image: images.pause }, {}, { finalizers: ["example.com/hold"] }));
		await target().delete(space.core("pods", "held"));
		await space.until(space.core("pods", "held"), (pod) => pod.metadata.deletionTimestamp !== undefined);
		await target().patch(space.core("pods", "held"), json, [{ op: "remove", path: "/metadata/finalizers" }]);
		await space.gone(space.core("pods", "held"));
	});

	test.concurrent("an Eviction without a budget, and a pod of another's uid kept", async () => {
		await using space = await target().namespace("evict");
		await space.run(podOf("victim", { image: images.pause }));
		const wrong = await target().send("DELETE", space.core("pods", "victim"), {
			preconditions: { uid: "someone-else" },
		});
		expect(wrong.status).toBe(409);
		await target().patch(space.core("pods", "victim"), merge, { metadata: { labels: { kept: "yes" } } });
		await target().post(`${space.core("pods", "victim")}/eviction`, {
			apiVersion: "policy/v1",
			kind: "Eviction",
			metadata: { name: "victim", namespace: space.name },
		});
		await space.gone(space.core("pods", "victim"));
	});
});

// On a cluster of its own: the taint drives everybody else's pods away.
conformance("taints", 2, (target) => {
	test.concurrent("NoExecute taints evict after the seconds tolerated, and not when taken away in time", async () => {
		await using space = await target().namespace("taints");
		const { items } = await target().get("/api/v1/nodes");
		const node = items[1].metadata.name;
		const key = `evict-${space.name}`;
		const tolerating = (name: string, seconds?: number) =>
			podOf(
				name,
				{ image: images.pause },
				{
					nodeName: node,
					tolerations: [
						{
							key,
							operator: "Exists",
							effect: "NoExecute",
							...(seconds === undefined ? {} : { tolerationSeconds: seconds }),
						},
					],
				},
			);
		for (const pod of [tolerating("short", 2), tolerating("long", 600), tolerating("ever")]) await space.run(pod);
		const taint = async (change: (taints: Json[]) => Json[]) =>
			target().update(`/api/v1/nodes/${node}`, (object) => {
				object.spec.taints = change(object.spec.taints ?? []);
			});
		await taint((taints) => [...taints, { key, value: "evictTaintVal", effect: "NoExecute" }]);
		await space.gone(space.core("pods", "short"));
		await taint((taints) => taints.filter((entry) => entry.key !== key));
		expect((await space.pods()).map((pod) => pod.metadata.name)).toEqual(["ever", "long"]);
	});
});
