import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseImageReference } from "../../reference.ts";
import { createImageTable } from "./images.ts";

describe("image names", () => {
	it.each([
		["nginx", "", "nginx", "nginx", "latest"],
		["docker.io/library/nginx:1.27", "docker.io", "library/nginx", "nginx", "1.27"],
		[
			"gcr.io/google_containers/fluentd-elasticsearch:1.3",
			"gcr.io",
			"google_containers/fluentd-elasticsearch",
			"fluentd-elasticsearch",
			"1.3",
		],
		["localhost:5000/a/b", "localhost:5000", "a/b", "b", "latest"],
		["mhausenblas/simpleservice:0.5.0", "", "mhausenblas/simpleservice", "simpleservice", "0.5.0"],
		[`app@sha256:${"a".repeat(64)}`, "", "app", "app", "latest"],
	])("takes %s apart", (image, registry, repository, name, tag) => {
		expect(parseImageReference(image)).toMatchObject({ registry, repository, name, tag });
	});

	it.each(["", "Nginx", "a b", "nginx:", "nginx:-x", "/nginx", "a//b"])("refuses %j", (image) => {
		expect(() => parseImageReference(image)).toThrow("invalid reference format");
	});
});

describe("image table", () => {
	let directory: string;
	let userFile: string;
	const plain = { pullPolicy: "IfNotPresent", hasCommand: false };
	beforeAll(() => {
		directory = mkdtempSync(`${tmpdir()}/cox-images-`);
		userFile = `${directory}/images.yaml`;
		mkdirSync(`${directory}/bin`);
		for (const program of ["nginx", "mariadbd"]) {
			writeFileSync(`${directory}/bin/${program}`, "#!/bin/sh\n");
			chmodSync(`${directory}/bin/${program}`, 0o755);
		}
	});
	afterAll(() => rmSync(directory, { recursive: true }));

	it("gives the program of a known image, whatever its registry and tag", () => {
		const table = createImageTable({ assets: directory });
		for (const image of [
			"nginx",
			"nginx:1.27-alpine",
			"docker.io/library/nginx",
			"registry.k8s.io/nginx-unprivileged:0.8",
		]) {
			expect(table.find(image)?.args).toEqual(["nginx", "-g", "daemon off;"]);
		}
		expect(table.find("mysql:8.0")).toMatchObject({ entrypoint: ["mysql-entrypoint"], args: ["mysqld"] });
	});

	it("says the ways out for an unknown image without a command, and takes it with one", () => {
		const table = createImageTable({ assets: directory, userFile });
		expect(() => table.resolve("example.com/my-app:1", plain)).toThrow(
			expect.objectContaining({
				reason: "ErrImagePull",
				message: expect.stringMatching(/add "command:".*images\.yaml$/),
			}),
		);
		expect(table.resolve("example.com/my-app:1", { ...plain, hasCommand: true }).id).toMatch(/^sha256:/);
	});

	it("says under which paths an image has programs of its own", () => {
		const table = createImageTable({ assets: "/stand-ins" });
		expect(table.programs("registry.k8s.io/e2e-test-images/agnhost:2.53", [])).toContainEqual({
			source: "/stand-ins/bin/agnhost",
			path: "/agnhost",
		});
		expect(table.programs("example.com/my-app:1", [])).toEqual([]);
		const busybox = { source: existsSync("/bin/busybox") ? "/bin/busybox" : "/bin/bash", path: "/bin/sh" };
		const own = [
			{ source: "/stand-ins/bin/sysctl", path: "/bin/sysctl" },
			{ source: "/stand-ins/lib/programs/wgetrc", path: "/etc/wgetrc" },
		];
		expect(table.programs("busybox", ["PATH", "HOME"])).toEqual([...own, busybox]);
		expect(table.programs("nginx:1.27-alpine", [])).toEqual([busybox]);
		expect(table.programs("registry.k8s.io/e2e-test-images/httpd:2.4.38-4", [])).toEqual([busybox]);
		expect(table.programs("httpd:2.4", [])).toEqual([]);
		expect(table.programs("busybox", ["data-1"])).toContainEqual({ source: "/bin/bash", path: "/bin/sh" });
	});

	it("gives the user that an entry names", () => {
		writeFileSync(userFile, 'mine: { entrypoint: [id], user: "7:8" }\n');
		const table = createImageTable({ assets: directory, userFile });
		expect(table.resolve("mine", plain)).toMatchObject({ user: "7:8" });
		expect(table.resolve("registry.k8s.io/e2e-test-images/nonroot:1.4", plain)).toMatchObject({ user: "1234" });
		expect(table.resolve("nginx", { ...plain, hasCommand: true })).not.toHaveProperty("user");
	});

	it("names the package of a program that is not on the machine", () => {
		const table = createImageTable({ assets: "/nowhere" });
		writeFileSync(userFile, "x: { entrypoint: [x], requires: surely-not-there }\n");
		const own = createImageTable({ assets: "/nowhere", userFile });
		expect(() => own.resolve("x", plain)).toThrow(/surely-not-there, which is not on this machine/);
		expect(table.find("redis:7")).toMatchObject({ package: "redis-server" });
	});

	it("refuses a wrong entry of the user's file alone, and goes on without a file that is no YAML", () => {
		const table = createImageTable({ assets: directory, userFile });
		writeFileSync(
			userFile,
			"bad: { entrypoint: run }\nworse: 7\nunknown: { entrypont: [x] }\nnginx: { args: [mine] }\n# of another length than before\n",
		);
		expect(table.find("nginx")?.args).toEqual(["mine"]);
		expect(table.find("redis")?.entrypoint).toContain("redis-server");
		const refusal = (image: string) => () => table.resolve(image, { ...plain, hasCommand: true });
		expect(refusal("bad")).toThrow(/images\.yaml: bad\.entrypoint: a list is wanted/);
		expect(refusal("worse")).toThrow(/worse: a map is wanted/);
		expect(refusal("unknown")).toThrow(/unknown: unknown field entrypont/);
		writeFileSync(userFile, "nginx: { args: [\n");
		const other = createImageTable({ assets: directory, userFile });
		expect(other.find("nginx")?.args).toEqual(["nginx", "-g", "daemon off;"]);
		expect(() => other.resolve("example.com/my-app:1", plain)).toThrow(/images\.yaml: /);
	});

	it("runs what arguments name, and gives options to the image's program", () => {
		const table = createImageTable({ assets: directory });
		expect(table.find("nginx")).toMatchObject({ entrypoint: [], args: ["nginx", "-g", "daemon off;"] });
		expect(table.find("curlimages/curl:8.1")?.entrypoint).toEqual(["image-entrypoint", "--any", "curl"]);
		expect(table.find("gcr.io/google-samples/hello-app:2.0")).toMatchObject({ env: { HELLO_VERSION: "2.0.0" } });
		const run = (...args: string[]) =>
			execFileSync("assets/stand-ins/bin/image-entrypoint", args, { encoding: "utf8" }).trim();
		expect(run("echo", "sh", "-c", "echo hi")).toBe("hi");
		expect(run("echo", "--option", "x")).toBe("--option x");
		expect(run("--any", "echo", "https://example.com/")).toBe("https://example.com/");
		expect(run("--any", "echo", "printf", "%s", "hi")).toBe("hi");
		expect(() => run("echo", "no-such-program")).toThrow();
	});

	it("lets the user's own file come first, and sees it change", () => {
		const table = createImageTable({ assets: directory, userFile });
		writeFileSync(
			userFile,
			`"*/team/*:v2": { entrypoint: [run], args: [--fast], env: { LEVEL: 3 } }\nnginx: { entrypoint: [mine] }\n`,
		);
		expect(table.find("quay.io/team/app:v2")).toMatchObject({
			entrypoint: ["run"],
			args: ["--fast"],
			env: { LEVEL: "3" },
		});
		expect(table.find("quay.io/team/app:v1")).toBeUndefined();
		expect(table.find("nginx")?.entrypoint).toEqual(["mine"]);
		writeFileSync(
			userFile,
			"# nothing any more, and a little longer than before\n# so that its time is not all that differs\n",
		);
		expect(createImageTable({ assets: directory, userFile }).find("nginx")?.args?.[0]).toBe("nginx");
	});
});
