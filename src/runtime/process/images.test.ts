import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseImageReference } from "../reference.ts";
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
			expect(table.resolve(image, plain).entrypoint).toEqual(["nginx", "-g", "daemon off;"]);
		}
		expect(table.resolve("mysql:8.0", plain)).toMatchObject({ entrypoint: ["mysql-entrypoint"], args: ["mysqld"] });
	});

	it("says the ways out for an unknown image without a command, and takes it with one", () => {
		const table = createImageTable({ assets: directory, userFile });
		expect(() => table.resolve("example.com/my-app:1", plain)).toThrow(
			expect.objectContaining({
				reason: "ErrImagePull",
				message: expect.stringMatching(/add "command:".*images\.yaml.*containerd/),
			}),
		);
		expect(table.resolve("example.com/my-app:1", { ...plain, hasCommand: true }).entrypoint).toEqual([]);
	});

	it("says under which paths an image has programs of its own", () => {
		const table = createImageTable({ assets: "/stand-ins" });
		expect(table.programs("registry.k8s.io/e2e-test-images/agnhost:2.53", [])).toContainEqual({
			source: "/stand-ins/bin/agnhost",
			path: "/agnhost",
		});
		expect(table.programs("example.com/my-app:1", [])).toEqual([]);
		const busybox = { source: existsSync("/bin/busybox") ? "/bin/busybox" : "/bin/bash", path: "/bin/sh" };
		expect(table.programs("busybox", ["PATH", "HOME"])).toEqual([busybox]);
		expect(table.programs("nginx:1.27-alpine", [])).toEqual([busybox]);
		expect(table.programs("registry.k8s.io/e2e-test-images/httpd:2.4.38-4", [])).toEqual([busybox]);
		expect(table.programs("httpd:2.4", [])).toEqual([]);
		expect(table.programs("busybox", ["data-1"])).toEqual([{ source: "/bin/bash", path: "/bin/sh" }]);
	});

	it("names the package of a program that is not on the machine", () => {
		const table = createImageTable({ assets: "/nowhere" });
		writeFileSync(userFile, "x: { entrypoint: [x], requires: surely-not-there }\n");
		const own = createImageTable({ assets: "/nowhere", userFile });
		expect(() => own.resolve("x", plain)).toThrow(/surely-not-there, which is not on this machine/);
		expect(table.find("redis:7")).toMatchObject({ package: "redis-server" });
	});

	it("lets the user's own file come first, and sees it change", () => {
		const table = createImageTable({ assets: directory, userFile });
		writeFileSync(
			userFile,
			`"*/team/*:v2": { entrypoint: [run], args: [--fast], env: { LEVEL: 3 } }\nnginx: { entrypoint: [mine] }\n`,
		);
		expect(table.resolve("quay.io/team/app:v2", plain)).toMatchObject({
			entrypoint: ["run"],
			args: ["--fast"],
			env: [{ name: "LEVEL", value: "3" }],
		});
		expect(table.find("quay.io/team/app:v1")).toBeUndefined();
		expect(table.resolve("nginx", plain).entrypoint).toEqual(["mine"]);
		writeFileSync(
			userFile,
			"# nothing any more, and a little longer than before\n# so that its time is not all that differs\n",
		);
		expect(createImageTable({ assets: directory, userFile }).resolve("nginx", plain).entrypoint[0]).toBe("nginx");
	});
});
