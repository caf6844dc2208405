/** Pods from images of a registry that wants a password, as upstream's clients see them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWith } from "../../src/core/testing/programs.ts";
import { busyboxImage } from "../../src/images/testing/image-builder.ts";
import { startRegistry, type TestRegistry } from "../../src/images/testing/registry.ts";
import { TestCluster } from "./cluster.ts";

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
});
