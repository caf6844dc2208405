/** The containers of a pod: in which order they start and stop, what they run as, and what becomes of them. */
import { describe, expect, test } from "vitest";
import { eventually } from "../e2e/cluster.ts";
import { condition, conformance, type Json, type Namespace, restarts, strategic } from "./harness.ts";
import { images, podOf, shell } from "./objects.ts";

const log = (space: Namespace, pod: string) => space.kubectl("logs", pod);

conformance("containers", "shared", (target) => {
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
			// The machine may have a user of that number, whose name is then told.
			const ids = { runAsUser: 1001, runAsGroup: 2002 };
			expect(await space.output(podOf("pod-ids", shell("id"), { securityContext: ids }))).toMatch(
				/^uid=1001(\(\S+\))? gid=2002/,
			);
			expect(await space.output(podOf("own-ids", shell("id", { securityContext: ids })))).toMatch(
				/^uid=1001(\(\S+\))? gid=2002/,
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
					{ image: images.busybox, command: ["/bin/sysctl", "kernel.shm_rmid_forced"] },
					spec([{ name: "kernel.shm_rmid_forced", value: "1" }]),
				),
			);
			expect(output).toBe("kernel.shm_rmid_forced = 1\n");
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
});
