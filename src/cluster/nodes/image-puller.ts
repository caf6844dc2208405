/** Starts the process that pulls images when it is needed, and gives it orders (see puller-main.ts). */
import type { ChildProcess } from "node:child_process";
import { spawnApart } from "../../linux/inherited.ts";
import type { PullResult } from "../../runtime/process/images/image-service.ts";
import { programFile } from "../files/package-files.ts";
import type { PullAnswer, PullerSettings, PullOrder, PullWish } from "./puller-protocol.ts";

export class ImagePuller {
	readonly #settings: PullerSettings;
	#child: ChildProcess | undefined;
	readonly #waiting = new Map<number, { child: ChildProcess; resolve: (result: PullResult) => void }>();
	#orders = 0;

	constructor(settings: PullerSettings) {
		this.#settings = settings;
	}

	/** Never rejects. */
	pull(wish: PullWish): Promise<PullResult> {
		const id = ++this.#orders;
		return new Promise((resolve) => {
			const child = this.#running();
			this.#waiting.set(id, { child, resolve });
			const order: PullOrder = { id, ...wish };
			child.send(order, (error) => {
				if (error !== null) this.#answer(id, failed(`the process that pulls images has ended: ${error.message}`));
			});
		});
	}

	stop(): void {
		this.#child?.kill("SIGKILL");
		this.#child = undefined;
	}

	#running(): ChildProcess {
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

	#answer(id: number, result: PullResult): void {
		this.#waiting.get(id)?.resolve(result);
		this.#waiting.delete(id);
	}
}

function failed(message: string): PullResult {
	return { ok: false, kind: "failed", message };
}
