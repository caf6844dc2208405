/** Containers from images of a registry, also hostile ones. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { describeWith } from "../../core/testing/programs.ts";
import { systemClock } from "../../core/time/clock.ts";
import { ImageFailure } from "../../images/model/failure.ts";
import { pullImage } from "../../images/pull.ts";
import { noRegistries } from "../../images/registry/registries-file.ts";
import { usedImages } from "../../images/store/prune.ts";
import { ImageStore } from "../../images/store/store.ts";
import { StoreWriter } from "../../images/store/store-writer.ts";
import {
	type BuildEntry,
	busyboxImage,
	busyboxLayer,
	dir,
	file,
	imageOf,
	link,
	programWithLibraries,
	tarOf,
} from "../../images/testing/image-builder.ts";
import { startRegistry, type TestRegistry } from "../../images/testing/registry.ts";
import { collect } from "../contract/contract.ts";
import { plainSecurity } from "../contract/defaults.ts";
import type { ContainerConfig, SandboxConfig } from "../runtime.ts";
import type { PullFunction } from "./images/image-service.ts";
import { type ProcessFixture, processFixture, rootless } from "./testing.ts";

const never = new AbortController().signal;
const wanted = { pullPolicy: "IfNotPresent", hasCommand: false, source: "registry" as const };

describeWith(["docker-registry"], "containers from images (as root, or as root of a user namespace)", () => {
	let registry: TestRegistry;
	let writer: StoreWriter;
	let fixture: ProcessFixture;
	let pull: PullFunction;
	let outputs = 0;
	beforeAll(async () => {
		// A namespace that is new has a loopback device that is down.
		spawnSync("ip", ["link", "set", "lo", "up"]);
		registry = await startRegistry();
		writer = new StoreWriter(ImageStore.open(mkdtempSync(`${tmpdir()}/cox-image-store-`)));
		const options = { writer, registries: () => noRegistries, dockerDirectory: "/nonexistent", clock: systemClock() };
		pull = async ({ image, credentials }) => {
			try {
				await pullImage(options, { image, credentials, signal: never });
				return { ok: true };
			} catch (error) {
				if (error instanceof ImageFailure) return { ok: false, kind: error.kind, message: error.message };
				throw error;
			}
		};
		await registry.push(busyboxImage(), "busybox");
	});
	afterAll(async () => {
		await registry.stop();
		await writer.remove([writer.store.directory]);
	});
	beforeEach(async () => {
		fixture = await processFixture({ images: { store: writer.store, pull } });
	});
	afterEach(() => fixture.dispose());

	/** Starts a container from an image of the registry. */
	const start = async (name: string, config: Partial<ContainerConfig> = {}, sandbox: Partial<SandboxConfig> = {}) => {
		const image = `${registry.host}/${name}`;
		const { id } = await fixture.runtime.resolveImage(image, wanted);
		return fixture.start({ image, imageId: id, ...config }, sandbox);
	};
	const output = async (
		name: string,
		script: string,
		config: Partial<ContainerConfig> = {},
		sandbox: Partial<SandboxConfig> = {},
	) => {
		const named = { name: `container-${++outputs}`, command: ["sh", "-c", script], ...config };
		const container = await start(name, named, sandbox);
		const { message } = await fixture.exited(container.id);
		return message ?? fixture.log(named.name);
	};
	const pushed = async (name: string, config: Readonly<Record<string, unknown>>, more: readonly BuildEntry[] = []) => {
		await registry.push(busyboxImage(config, more), name);
		return name;
	};

	it("have the image's files, environment, host name, and what the kernel has for every container", async () => {
		const text = await output(
			"busybox",
			"ls /; echo $PATH $FROM $HOME; cat /etc/hostname; ls /dev/null /proc/self/comm; id -u; stat -c %a /tmp",
		);
		// Its libraries are there if the machine's busybox needs any.
		expect(text.replace(/^lib.*\n/gm, "")).toBe(
			"bin\ndev\netc\nproc\nsys\ntmp\n/bin image /root\npod-1\n/dev/null\n/proc/self/comm\n0\n1777\n",
		);
	});

	it("run the image's command where the pod has none, with the pod's arguments after its entrypoint", async () => {
		await pushed("says", { Entrypoint: ["echo", "entry"], Cmd: ["command"], WorkingDir: "/srv/here" });
		const log = async (config: Partial<ContainerConfig>) => {
			const container = await start("says", { name: `c${JSON.stringify(config).length}`, ...config });
			await fixture.exited(container.id);
			return fixture.log(container.config.name);
		};
		expect(await log({})).toBe("entry command\n");
		expect(await log({ args: ["args"] })).toBe("entry args\n");
		expect(await log({ command: ["pwd"] })).toBe("/srv/here\n");
		expect(await log({ command: ["pwd"], workingDir: "/tmp" })).toBe("/tmp\n");
	});

	it("run as the image's user, whom the image itself knows", async () => {
		await pushed("named", { User: "app" });
		await pushed("numbered", { User: "7:8" });
		await pushed("unknown", { User: "nobody-here" });
		const script = "echo $(id -u):$(id -g) $HOME; touch /tmp/x && stat -c %u /tmp/x";
		expect(await output("named", script)).toBe("1234:4321 /home/app\n1234\n");
		expect(await output("numbered", script)).toBe("7:8 /\n7\n");
		if (!rootless) expect(await output("named", "id -G")).toBe("4321 55\n");
		await expect(start("unknown")).rejects.toThrow(
			"unable to find user nobody-here: no matching entries in passwd file",
		);
		const security = { ...plainSecurity, runAsUser: 0 };
		expect(await output("named", "id -u", { security })).toBe("0\n");
	});

	it("start and are entered where there is only one program", async () => {
		const ldconfig = readFileSync("/sbin/ldconfig");
		await registry.push(
			imageOf([tarOf([file("hello", ldconfig, 0o755)])], { Entrypoint: ["/hello"], Cmd: ["--version"] }),
			"static",
		);
		const ended = await start("static", { name: "static" });
		expect((await fixture.exited(ended.id)).exitCode).toBe(0);
		expect(fixture.log("static")).toContain("ldconfig");
		const app = [...programWithLibraries("busybox", "/bin/busybox")];
		await registry.push(imageOf([tarOf(app)], { Entrypoint: ["/busybox"], Cmd: ["sleep", "1000"] }), "app");
		const running = await start("app", { name: "app" });
		const run = async (command: string[]) =>
			collect(await fixture.runtime.exec(running.id, { command, tty: false, stdin: false, signal: never }));
		expect((await run(["/busybox", "id", "-u"])).stdout).toBe("0\n");
		expect((await run(["sh"])).stderr).toContain("executable file not found in $PATH");
	});

	it("keep their stop signal, and are in use until they are removed", async () => {
		await pushed("stops", { StopSignal: "SIGUSR1" });
		const command = ["sh", "-c", "trap 'echo usr1; exit 3' USR1; echo ready; while true; do sleep 0.05; done"];
		const container = await start("stops", { command });
		await fixture.until("it is ready", () => fixture.log("main").includes("ready"));
		const digest = writer.store.find(`${registry.host}/stops`)?.image.digest ?? "";
		expect(usedImages(writer.store)).toContain(digest);
		await fixture.runtime.stopContainer(container.id, 60_000);
		expect((await fixture.exited(container.id)).exitCode).toBe(3);
		await fixture.runtime.removeContainer(container.id);
		expect(usedImages(writer.store)).not.toContain(digest);
	});

	it("see layers as one: what upper ones replace, hide and leave undescribed", async () => {
		const base = tarOf([
			dir("data", 0o1777),
			file("data/gone"),
			file("data/kept"),
			dir("opaque"),
			file("opaque/old"),
			file("replaced", "old"),
		]);
		// No entry for data, as some builders leave it out.
		const upper = tarOf([
			file("data/.wh.gone"),
			file("data/new"),
			dir("opaque"),
			file("opaque/.wh..wh..opq"),
			file("opaque/new"),
			file("replaced", "new"),
		]);
		await registry.push(imageOf([busyboxLayer(), base, upper], { Cmd: ["sh"] }), "layers");
		const text = await output("layers", "ls /data /opaque; cat /replaced; stat -c ' %a' /data");
		expect(text).toBe("/data:\nkept\nnew\n\n/opaque:\nnew\nnew 1777\n");
	});

	it("mount volumes where the image has links, and inside the image only", async () => {
		const volume = fixture.folder("volume", { inside: "from the volume" });
		await pushed("links", {}, [
			link("outside", "/../../../../../../../../etc"),
			link("absolute", "/real"),
			dir("real"),
			link("etc/hosts", "/tmp/elsewhere"),
		]);
		const mounts = [
			{ hostPath: volume, containerPath: "/outside/mounted", readOnly: true, propagation: "None" as const },
			{ hostPath: volume, containerPath: "/absolute/mounted", readOnly: true, propagation: "None" as const },
			{ hostPath: `${volume}/inside`, containerPath: "/etc/hosts", readOnly: true, propagation: "None" as const },
		];
		const text = await output("links", "cat /etc/mounted/inside /real/mounted/inside /tmp/elsewhere", { mounts });
		expect(text).toBe("from the volume".repeat(3));
		expect(existsSync("/etc/mounted")).toBe(false);
	});

	it("mount other images as volumes, and paths in them, read-only and in use as long as they are", async () => {
		await registry.push(
			imageOf([
				tarOf([dir("models", 0o755), file("models/one", "old"), file("gone")]),
				tarOf([
					file("models/one", "one"),
					file(".wh.gone"),
					link("models/out", "/etc/passwd"),
					{ ...file("owned"), uid: 33 },
				]),
			]),
			"models",
		);
		const reference = `${registry.host}/models`;
		const { id } = await fixture.runtime.resolveImage(reference, { ...wanted, hasCommand: true, needsFiles: true });
		const volume = (containerPath: string, subPath = "") => ({
			image: id,
			hostPath: "",
			containerPath,
			...(subPath === "" ? {} : { subPath }),
			readOnly: true,
			propagation: "None" as const,
		});
		const mounts = [volume("/v/all"), volume("/v/models", "models"), volume("/v/file", "models/one")];
		const script =
			"ls /v/all; cat /v/models/one /v/file; touch /v/all/x 2>/dev/null || echo ' read-only'; stat -c %u /v/all/owned";
		const owner = rootless ? 0 : 33;
		const expected = `models\nowned\noneone read-only\n${owner}\n`;
		expect(await output("busybox", script, { mounts })).toBe(expected);
		// On the machine's own files.
		const own = await fixture.start({ name: "own", command: ["sh", "-c", script], mounts });
		await fixture.exited(own.id);
		expect(fixture.log("own")).toBe(expected);
		if (!rootless) expect(await output("busybox", script, { mounts }, { ownUsers: true })).toBe(expected);
		const digest = writer.store.find(reference)?.image.digest ?? "";
		expect(usedImages(writer.store)).toContain(digest);
		const bad = [volume("/v/bad", "none")];
		expect(await output("busybox", "true", { mounts: bad })).toContain("failed to prepare subPath none");
		const machine = { ...wanted, source: "machine" as const, needsFiles: true };
		await expect(fixture.runtime.resolveImage(reference, machine)).rejects.toThrow("a volume needs its files");
	});

	it("have /proc, /sys and /dev of their own, whatever the image has there", async () => {
		await pushed("forged", {}, [
			dir("fake"),
			file("fake/keys", "forged"),
			link("proc", "/fake"),
			file("sys", "a file"),
			link("dev", "../../../../dev"),
		]);
		const text = await output(
			"forged",
			"stat -c %F /proc /sys /dev; cat /proc/self/comm; cat /proc/keys | wc -c; test -c /dev/null && echo null; true >/proc/sys/kernel/hostname || echo refused",
		);
		expect(text.split("\n").filter((line) => !line.includes("can't create"))).toEqual([
			"directory",
			"directory",
			"directory",
			"cat",
			"0",
			"null",
			"refused",
			"",
		]);
	});

	it("have a read-only root if the pod wants it, except for what the image declares as a volume", async () => {
		await pushed("volume", { Volumes: { "/data": {} } }, [dir("data"), file("data/first", "image's")]);
		const security = { ...plainSecurity, readOnlyRootFilesystem: true };
		const text = await output("volume", "touch /data/x && cat /data/first; touch /y 2>/dev/null || echo ' read-only'", {
			security,
		});
		expect(text).toBe("image's read-only\n");
	});

	it.skipIf(rootless)("keep owners, setuid bits and device nodes out as root", async () => {
		await pushed("owners", {}, [
			{ ...file("bin/su", "x", 0o4755) },
			{ ...file("owned"), uid: 33, gid: 44 },
			{ name: "disk", type: "4", mode: 0o666 },
		]);
		expect(await output("owners", "stat -c %a /bin/su; stat -c %u:%g /owned; ls /disk 2>&1")).toBe(
			"4755\n33:44\nls: /disk: No such file or directory\n",
		);
	});

	it.skipIf(rootless)("have users of their own if the pod has", async () => {
		await pushed("own", {}, [{ ...file("owned"), uid: 33, gid: 44 }]);
		const script = "id -u; stat -c %u:%g /owned; touch /made && stat -c %u /made; cat /proc/self/uid_map | wc -l";
		expect(await output("own", script, {}, { ownUsers: true })).toBe("0\n33:44\n0\n1\n");
	});

	it("are refused for layers that lead out, or are something else than they say", async () => {
		const bad = async (name: string, entries: BuildEntry[]) => {
			await registry.push(imageOf([tarOf(entries)]), name);
			return fixture.runtime.resolveImage(`${registry.host}/${name}`, wanted);
		};
		await expect(bad("up", [file("../../escaped")])).rejects.toThrow("a path that leads out of it");
		await expect(bad("hard", [{ name: "x", type: "1", link: "../../etc/passwd" }])).rejects.toThrow(
			"a hard link that leads out",
		);
		await expect(bad("through", [link("d", "/tmp"), file("d/escaped")])).rejects.toThrow("cannot be unpacked");
		expect(existsSync("/tmp/escaped")).toBe(false);
		await expect(fixture.runtime.resolveImage(`${registry.host}/none`, wanted)).rejects.toThrow(
			expect.objectContaining({ reason: "ErrImagePull", message: expect.stringContaining("none:latest: not found") }),
		);
	});
});
