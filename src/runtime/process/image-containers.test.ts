/** Containers from images of a registry. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { describeWith } from "../../core/testing/programs.ts";
import { systemClock } from "../../core/time/clock.ts";
import { ImageFailure } from "../../images/model/failure.ts";
import { pullImage } from "../../images/pull.ts";
import { noRegistries } from "../../images/registry/registries-file.ts";
import { ImageStore } from "../../images/store/store.ts";
import { StoreWriter } from "../../images/store/store-writer.ts";
import { busyboxImage } from "../../images/testing/image-builder.ts";
import { startRegistry, type TestRegistry } from "../../images/testing/registry.ts";
import type { ContainerConfig } from "../runtime.ts";
import type { PullFunction } from "./images/image-service.ts";
import { type ProcessFixture, processFixture } from "./testing.ts";

const never = new AbortController().signal;
const wanted = { pullPolicy: "IfNotPresent", hasCommand: false, source: "registry" as const };

describeWith(["docker-registry"], "containers from images", () => {
	let registry: TestRegistry;
	let directory: string;
	let store: ImageStore;
	let fixture: ProcessFixture;
	let pull: PullFunction;
	beforeAll(async () => {
		registry = await startRegistry();
		directory = mkdtempSync(`${tmpdir()}/cox-image-store-`);
		store = ImageStore.open(directory);
		const writer = new StoreWriter(store);
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
		rmSync(directory, { recursive: true });
	});
	beforeEach(async () => {
		fixture = await processFixture({ images: { store, pull } });
	});
	afterEach(() => fixture.dispose());

	/** Starts a container from an image of the registry. */
	const start = async (name: string, config: Partial<ContainerConfig> = {}) => {
		const image = `${registry.host}/${name}`;
		const { id } = await fixture.runtime.resolveImage(image, wanted);
		return fixture.start({ image, imageId: id, ...config });
	};
	const output = async (name: string, script: string, config: Partial<ContainerConfig> = {}) => {
		const container = await start(name, { command: ["sh", "-c", script], ...config });
		const { message } = await fixture.exited(container.id);
		return message ?? fixture.log("main");
	};

	it("have the image's files, environment, host name, and what the kernel has for every container", async () => {
		const text = await output(
			"busybox",
			"ls /; echo $PATH $FROM $HOME; cat /etc/hostname; ls /dev/null /proc/self/comm; id -u; stat -c %a /tmp",
		);
		expect(text).toBe(
			"bin\ndev\netc\nlib\nlib64\nproc\nsys\ntmp\n/bin image /root\npod-1\n/dev/null\n/proc/self/comm\n0\n1777\n",
		);
	});
});
