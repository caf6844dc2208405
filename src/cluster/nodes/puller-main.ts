/**
 * The process that pulls images for the nodes of a cluster: in the machine's own network, which nodes do not have, and
 * apart from the API server, which it would hold up. Ends when the server does, or dismisses it.
 */
import { existsSync, readFileSync } from "node:fs";
import { messageOf } from "../../core/errors.ts";
import { systemClock } from "../../core/time/clock.ts";
import { ImageFailure } from "../../images/model/failure.ts";
import { pullImage } from "../../images/pull.ts";
import { noRegistries, parseRegistries, type Registries } from "../../images/registry/registries-file.ts";
import { collectImages, prune } from "../../images/store/prune.ts";
import { ImageStore } from "../../images/store/store.ts";
import { StoreWriter } from "../../images/store/store-writer.ts";
import { logError } from "../../linux/process-log.ts";
import type { PullResult, PullWish } from "../../runtime/process/images/image-service.ts";
import type { PullAnswer, PullerSettings, PullOrder } from "./puller-protocol.ts";

const clock = systemClock();
// Written by image-puller.ts.
const settings = JSON.parse(process.argv[2] ?? "{}") as PullerSettings;
const writer = new StoreWriter(ImageStore.open(settings.store));
const cleaned = writer.cleanUp().catch((error: unknown) => logError("cleaning the image store", error));
/** Orders in progress, by ID. */
const pulling = new Map<number, AbortController>();

/** @throws Error that names the file */
function registries(): Registries {
	const { registriesFile } = settings;
	if (!existsSync(registriesFile)) return noRegistries;
	try {
		return parseRegistries(readFileSync(registriesFile, "utf8"));
	} catch (error) {
		throw new ImageFailure("failed", `${registriesFile}: ${messageOf(error)}`);
	}
}

async function pull({ image, credentials, connectMs }: PullWish, signal: AbortSignal): Promise<PullResult> {
	const { dockerDirectory } = settings;
	try {
		await cleaned;
		const options = { writer, registries, dockerDirectory, clock };
		await pullImage(options, { image, credentials, signal, ...(connectMs === undefined ? {} : { connectMs }) });
		await collect({ all: false });
		return { ok: true };
	} catch (error) {
		if (signal.aborted) return { ok: false, kind: "failed", message: "the pull was canceled" };
		if (!(error instanceof ImageFailure)) logError(`pulling ${image}`, error);
		return { ok: false, kind: error instanceof ImageFailure ? error.kind : "failed", message: messageOf(error) };
	}
}

async function collect({ all }: { all: boolean }): Promise<PullResult> {
	const nowMs = clock.now();
	const { collection } = settings;
	try {
		const { images } = all
			? await prune(writer, { nowMs, leastAgeMs: collection.leastAgeMs, unusedMs: 0 })
			: await collectImages(writer, nowMs, collection);
		if (images.length > 0) console.log(`deleted ${images.length} images that no container uses`);
	} catch (error) {
		logError("deleting images", error);
	}
	return { ok: true };
}

process.on("message", (order: PullOrder) => {
	if (order.type === "cancel") return pulling.get(order.id)?.abort(new Error("the pull was canceled"));
	const { id } = order;
	const cancel = new AbortController();
	pulling.set(id, cancel);
	const work = order.type === "pull" ? pull(order.wish, cancel.signal) : collect(order);
	void work.then((result) => {
		const answer: PullAnswer = { id, result };
		process.send?.(answer, undefined, undefined, () => {});
		pulling.delete(id);
		if (pulling.size > 0) return;
		void writer.settle().catch((error: unknown) => logError("writing images to the disk", error));
	});
});
process.on("disconnect", () => process.exit(0));
