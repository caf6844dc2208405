/** A cluster whose nodes run containers with containerd: one pod with all that the agent adds to a container. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWith } from "../../src/core/testing/programs.ts";
import { busyboxImage, dir, link } from "../../src/images/testing/image-builder.ts";
import { writeLayout } from "../../src/images/testing/layout.ts";
import { allPids } from "../../src/linux/processes.ts";
import { eventually, TestCluster } from "./cluster.ts";

const manifest = {
	apiVersion: "v1",
	kind: "List",
	items: [
		{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "page" }, data: { "index.html": "from a volume" } },
		{
			apiVersion: "v1",
			kind: "Pod",
			metadata: { name: "web", labels: { app: "web" } },
			spec: {
				terminationGracePeriodSeconds: 0,
				containers: [
					{
						name: "web",
						image: "app:1",
						command: ["sh", "-c", "echo serving; exec httpd -f -p 8080 -h /www"],
						readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 1 },
						resources: { limits: { memory: "64Mi" } },
						volumeMounts: [{ name: "page", mountPath: "/www/index.html", subPath: "index.html" }],
					},
				],
				volumes: [{ name: "page", configMap: { name: "page" } }],
			},
		},
		{
			apiVersion: "v1",
			kind: "Service",
			metadata: { name: "pages" },
			spec: { selector: { app: "web" }, ports: [{ port: 80, targetPort: 8080 }] },
		},
	],
};

describeWith(["containerd", "runc", "kubectl"], "pods with containerd (as root)", () => {
	let cluster: TestCluster;
	beforeAll(async () => {
		cluster = await TestCluster.start("--runtime", "containerd");
		const applets = ["httpd", "wget"].map((name) => link(`bin/${name}`, "busybox"));
		const layout = join(cluster.data, "layout");
		writeLayout(busyboxImage({}, [dir("www"), ...applets]), layout);
		await cluster.coxOk("images", "import", layout, "--name", "app:1");
		await cluster.kubectlInput(JSON.stringify(manifest), "apply", "-f", "-");
		await cluster.kubectl("wait", "pod/web", "--for=condition=Ready", "--timeout=60s");
	});
	afterAll(async () => {
		await cluster[Symbol.asyncDispose]();
		expect(processesOf(cluster.data)).toEqual([]);
	});

	const inside = (...command: string[]) => cluster.kubectl("exec", "web", "--", ...command);

	it("have volumes, the cluster's DNS and Services, and logs", async () => {
		expect(await cluster.kubectl("get", "nodes", "-o", "wide")).toContain("containerd://");
		expect(await eventually(() => inside("wget", "-qO-", "http://pages"))).toBe("from a volume");
		expect(await cluster.kubectl("logs", "web")).toBe("serving\n");
	});

	it("go on when the agent, and then containerd, are killed", async () => {
		const started = "jsonpath={.status.containerStatuses[0].state.running.startedAt}";
		const before = await cluster.kubectl("get", "pod", "web", "-o", started);
		for (const what of ["dist/agent", "containerd --config"]) {
			const killed = processesOf(cluster.data).filter(({ command }) => command.includes(what));
			expect(killed.length).toBeGreaterThan(0);
			for (const { pid } of killed) process.kill(pid, "SIGKILL");
			expect(await eventually(() => inside("cat", "/www/index.html"))).toBe("from a volume");
		}
		expect(await cluster.kubectl("get", "pod", "web", "-o", started)).toBe(before);
	});
});

/** By their arguments. */
function processesOf(data: string): { pid: number; command: string }[] {
	return allPids().flatMap((pid) => {
		const file = `/proc/${pid}/cmdline`;
		const command = existsSync(file) ? readFileSync(file, "utf8").replaceAll("\0", " ") : "";
		return command.includes(data) ? [{ pid, command }] : [];
	});
}
