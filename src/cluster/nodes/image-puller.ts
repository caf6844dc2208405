/** Starts the process that pulls images when it is needed, and gives it orders (see puller-main.ts). */
import type { ChildProcess } from "node:child_process";
import type { Clock, Timer } from "../../core/time/clock.ts";
import { isCollectionDue } from "../../images/store/prune.ts";
import { spawnApart } from "../../linux/inherited.ts";
import type { PullResult, PullWish } from "../../runtime/process/images/image-service.ts";
import { programFile } from "../files/package-files.ts";
import type { PullAnswer, PullerSettings, PullOrder } from "./puller-protocol.ts";

/** Without orders, the process ends after this time. */
const idleMs = 20_000;
/** The interval of upstream's kubelet for deleting images. */
const collectionMs = 300_000;

export class ImagePuller {
	readonly #settings: PullerSettings;
	readonly #clock: Clock;
	#child: ChildProcess | undefined;
	#idle: Timer | undefined;
	#nextCollection: Timer;
	readonly #waiting = new Map<number, { child: ChildProcess; resolve: (result: PullResult) => void }>();
	#orders = 0;
	#stopped = false;

	constructor(settings: PullerSettings, clock: Clock) {
		this.#settings = settings;
		this.#clock = clock;
		this.#nextCollection = clock.after(collectionMs, () => void this.#collectNow());
	}

	/** Never rejects. */
	async pull(wish: PullWish, signal: AbortSignal): Promise<PullResult> {
		const id = ++this.#orders;
		const cancel = () => this.#child?.send({ type: "cancel", id } satisfies PullOrder, () => {});
		signal.addEventListener("abort", cancel, { once: true });
		try {
			return await this.#order({ type: "pull", id, wish });
		} finally {
			signal.removeEventListener("abort", cancel);
		}
	}

	/** Deletes unused images: by the rules, or all of them. Never rejects. */
	async collect({ all }: { all: boolean }): Promise<void> {
		await this.#order({ type: "collect", id: ++this.#orders, all });
	}

	async #collectNow(): Promise<void> {
		const { store, collection } = this.#settings;
		if (isCollectionDue(store, collection)) await this.collect({ all: false });
		if (!this.#stopped) this.#nextCollection = this.#clock.after(collectionMs, () => void this.#collectNow());
	}

	#order(order: Exclude<PullOrder, { type: "cancel" }>): Promise<PullResult> {
		const { id } = order;
		return new Promise((resolve) => {
			const child = this.#running();
			this.#waiting.set(id, { child, resolve });
			child.send(order, (error) => {
				if (error !== null) this.#answer(id, failed(`the process that pulls images has ended: ${error.message}`));
			});
		});
	}

	stop(): void {
		this.#stopped = true;
		this.#nextCollection.cancel();
		this.#idle?.cancel();
		this.#child?.kill("SIGKILL");
		this.#child = undefined;
	}

	#running(): ChildProcess {
		this.#idle?.cancel();
		if (this.#child?.connected) return this.#child;
		const args = ["--max-semi-space-size=16", programFile("puller"), JSON.stringify(this.#settings)];
		const child = spawnApart(process.execPath, args, {
			stdio: ["ignore", "inherit", "inherit", "ipc"],
			env: process.env,
		});
		this.#child = child;
		child.on("message", ({ id, result }: PullAnswer) => this.#answer(id, result));
		const ended = () => {
			if (this.#child === child) this.#child = undefined;
			for (const [id, waiting] of this.#waiting)
				if (waiting.child === child) this.#answer(id, failed("the process that pulls images has ended"));
		};
		child.once("error", ended);
		child.once("exit", ended);
		child.unref();
		child.channel?.unref();
		return child;
	}

	#dismiss(): void {
		const child = this.#child;
		this.#child = undefined;
		if (child?.connected) child.disconnect();
	}

	#answer(id: number, result: PullResult): void {
		this.#waiting.get(id)?.resolve(result);
		this.#waiting.delete(id);
		this.#idle?.cancel();
		// Ended from here, where orders are given: none is lost in a process that is about to end.
		if (this.#waiting.size === 0) this.#idle = this.#clock.after(idleMs, () => this.#dismiss());
	}
}

function failed(message: string): PullResult {
	return { ok: false, kind: "failed", message };
}
