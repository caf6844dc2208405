/** Pods from images of a registry that wants a password, as upstream's clients see them. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWith } from "../../src/core/testing/programs.ts";
import { startFakeRegistry } from "../../src/images/testing/fake-registry.ts";
import { busyboxImage, busyboxLayer, dir, file, imageOf, tarOf } from "../../src/images/testing/image-builder.ts";
import { fluentdImage, mysqlImage, nginxImage } from "../../src/images/testing/notes-images.ts";
import { startRegistry, type TestRegistry } from "../../src/images/testing/registry.ts";
import { eventually, run, succeeded, TestCluster } from "./cluster.ts";
import { kill, Traces } from "./traces.ts";

const notes = (file: string) => join(import.meta.dirname, "notes", file);

/** A program of a Debian package that is not installed, in a folder. */
async function debianProgram(name: string, path: string, folder: string): Promise<string> {
	succeeded("apt-get download", await run("apt-get", ["download", "-q", name], { cwd: folder }));
	const archive = readdirSync(folder).find((entry) => entry.startsWith(`${name}_`)) ?? "";
	succeeded("dpkg-deb", await run("dpkg-deb", ["-x", join(folder, archive), folder]));
	return join(folder, path);
}

describeWith(["docker-registry"], "pods from images", () => {
	let registry: TestRegistry;
	let cluster: TestCluster;
	const directory = mkdtempSync(`${tmpdir()}/cox-e2e-images-`);
	beforeAll(async () => {
		// Of `me` with the password `secret`.
		writeFileSync(`${directory}/users`, "me:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n");
		const settings = `auth: { htpasswd: { realm: test, path: ${directory}/users } }`;
		registry = await startRegistry({ settings, authorization: "me:secret" });
		await registry.push(busyboxImage({ User: "app" }), "team/app", "1");
		cluster = await TestCluster.start("--images", "registry");
	});
	afterAll(async () => {
		await cluster[Symbol.asyncDispose]();
		await registry.stop();
		rmSync(directory, { recursive: true });
	});

	it("are pulled with the Secrets of their ServiceAccount, and `cox images` has them then", async () => {
		const image = `${registry.host}/team/app:1`;
		await cluster.kubectl("run", "denied", `--image=${image}`, "--restart=Never");
		const credentials = [`--docker-server=${registry.host}`, "--docker-username=me", "--docker-password=secret"];
		await cluster.kubectl("create", "secret", "docker-registry", "regcred", ...credentials);
		const patch = JSON.stringify({ imagePullSecrets: [{ name: "regcred" }] });
		await cluster.kubectl("patch", "serviceaccount", "default", "-p", patch);
		await cluster.kubectl("run", "app", `--image=${image}`, "--restart=Never", "--", "sh", "-c", "id -u; sleep 1000");
		await cluster.kubectl("wait", "pod/app", "--for=condition=Ready", "--timeout=60s");
		expect(await cluster.kubectl("logs", "app")).toBe("1234\n");
		expect(await cluster.kubectl("get", "pod", "app", "-o", "jsonpath={.status.containerStatuses[0].imageID}")).toMatch(
			/^127\.0\.0\.1:\d+\/team\/app@sha256:[0-9a-f]{64}$/,
		);
		expect(await cluster.kubectl("get", "events", "--field-selector=involvedObject.name=app")).toMatch(
			/Successfully pulled image ".*" in \S+ \(\S+ including waiting\). Image size: \d+ bytes\./,
		);
		expect(await cluster.kubectl("describe", "pod", "denied")).toContain("pull access denied");
		expect(await cluster.coxOk("images", "list")).toMatch(/team\/app:1 .* yes/);
		// It is there, but not for strangers.
		await cluster.kubectl("create", "namespace", "stranger");
		await cluster.kubectl("run", "stranger", "-n", "stranger", `--image=${image}`, "--restart=Never");
		const waiting = "jsonpath={.status.containerStatuses[0].state.waiting.message}";
		await cluster.kubectl("wait", "pod/stranger", "-n", "stranger", "--for", waiting, "--timeout=60s");
		expect(await cluster.kubectl("get", "pod", "stranger", "-n", "stranger", "-o", waiting)).toContain("denied");
	});

	it("are pulled whoever is killed meanwhile, and no longer when nobody wants them", async () => {
		const data = tarOf([file("data", Buffer.alloc(300_000, "0123456789"))]);
		const image = imageOf([busyboxLayer(), data], {}, { type: "tar", compress: (layer) => layer });
		const stalled: ServerResponse[] = [];
		const isData = ({ url = "" }: IncomingMessage) => url.includes(image.layers[1]?.digest ?? "");
		const slow = await startFakeRegistry(image, (request, response) => {
			if (!isData(request) || stalled.length >= 3) return false;
			response.writeHead(200).write(image.layers[1]?.body.subarray(0, 100_000));
			stalled.push(response);
			return true;
		});
		const stalls = (count: number) => eventually(async () => expect(stalled).toHaveLength(count), 60_000);
		const traces = new Traces(cluster.data);
		const pods = (name: string) => ["run", name, `--image=${slow.host}/app`, "--image-pull-policy=IfNotPresent"];
		await cluster.kubectl(...pods("unwanted"), "--", "sleep", "1000");
		await stalls(1);
		await cluster.kubectl("delete", "pod", "unwanted", "--timeout=60s");
		await eventually(async () => expect(stalled[0]?.destroyed).toBe(true), 60_000);
		await cluster.kubectl(...pods("wanted"), "--", "sh", "-c", "wc -c </data; sleep 1000");
		await stalls(2);
		kill(traces.commands(/puller/));
		await stalls(3);
		kill(traces.pids(/^server$/));
		await eventually(async () => {
			await cluster.kubectl("wait", "pod/wanted", "--for=condition=Ready", "--timeout=60s");
		}, 120_000);
		expect(await cluster.kubectl("logs", "wanted")).toBe("300000\n");
		const left = () => readdirSync(`${cluster.data}/images/tmp`);
		await eventually(async () => expect(left()).toEqual([]), 60_000);
		await slow.stop();
	});

	it("are those that the course notes name, from mirrors with a password", async () => {
		const endpoint = `{ endpoint: ["http://${registry.host}"] }`;
		const settings = `mirrors: { docker.io: ${endpoint}, gcr.io: ${endpoint} }
configs: { "${registry.host}": { auth: { username: me, password: secret } } }\n`;
		writeFileSync(`${cluster.data}/registries.yaml`, settings);
		await registry.push(fluentdImage(), "fluent/fluentd");
		await cluster.kubectl("create", "namespace", "logging");
		await cluster.kubectl("apply", "-f", notes("daemonset.yaml"));
		await cluster.kubectl("-n", "logging", "rollout", "status", "daemonset/fluentd", "--timeout=60s");
		expect(await cluster.kubectl("-n", "logging", "logs", "daemonset/fluentd")).toMatch(
			/^fluentd worker is now running/,
		);
		if (process.env.COX_NOTES_IMAGES !== "all") return;
		await registry.push(mysqlImage(), "library/mysql", "8.0");
		await cluster.kubectl("create", "secret", "generic", "mysql-secret", "--from-literal=password=secret");
		await cluster.kubectl("apply", "-f", notes("headless-service.yaml"), "-f", notes("statefulset.yaml"));
		await cluster.kubectl("rollout", "status", "statefulset/mysql", "--timeout=120s");
		const query = ["mysql", "-h", "mysql-0.mysql", "-psecret", "-Ne", "select @@hostname, current_user()"];
		await eventually(async () => {
			expect(await cluster.kubectl("exec", "mysql-1", "--", ...query)).toBe("mysql-0\troot@%\n");
		}, 60_000);
		const nginx = await debianProgram("nginx", "usr/sbin/nginx", directory);
		await registry.push(nginxImage(nginx), "library/nginx");
		await cluster.kubectl("create", "deployment", "web", "--image=nginx", "--replicas=2");
		await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s");
		const page = "/api/v1/namespaces/default/services/web:80/proxy/";
		await cluster.kubectl("expose", "deployment", "web", "--port=80");
		await eventually(async () => {
			expect(await cluster.kubectl("get", "--raw", page)).toContain("Welcome to nginx!");
		}, 60_000);
	}, 400_000);

	it("are volumes, too", async () => {
		const files = imageOf([busyboxLayer(), tarOf([dir("models"), file("models/one", "one")])]);
		const open = await startFakeRegistry(files);
		const volumes = [{ name: "models", image: { reference: `${open.host}/models` } }];
		const volumeMounts = [{ name: "models", mountPath: "/m", subPath: "models" }];
		const command = ["sh", "-c", "cat /m/one; touch /m/two 2>&1; sleep 1000"];
		const containers = [{ name: "main", image: `${open.host}/app`, command, volumeMounts }];
		const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "volume" }, spec: { containers, volumes } };
		await cluster.kubectlInput(JSON.stringify(pod), "apply", "-f", "-");
		await cluster.kubectl("wait", "pod/volume", "--for=condition=Ready", "--timeout=60s");
		expect(await cluster.kubectl("logs", "volume")).toMatch(/^onetouch: .*Read-only file system/);
		await open.stop();
	});
});
