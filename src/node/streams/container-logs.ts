/** The response with the log of one container. */
import { Readable } from "node:stream";
import { LineSplitter, type LogOptions, lineRenderer } from "../../core/text/log-lines.ts";
import type { Container } from "../../runtime/runtime.ts";
import type { NodeContext } from "../context/node-context.ts";
import { readLogFile } from "../logs/log-file.ts";

/** Ends with the log; destroy it to stop early. */
export function containerLog(
	{ inMemory, view }: Pick<NodeContext, "inMemory" | "view">,
	podUid: string,
	container: Container,
	options: LogOptions,
	signal: AbortSignal,
): Readable {
	const followed = {
		running: () => view.of(podUid).containers.some(({ id, state }) => id === container.id && state === "running"),
		onChange: (listener: () => void) => view.onChange(podUid, listener),
	};
	const blocks =
		inMemory === undefined
			? readLogFile(container.config.logPath, options, followed, signal)
			: keptLog(() => inMemory.logText(container.id) ?? "", options, followed, signal);
	return Readable.from(blocks, { objectMode: false });
}

/** Reads a log that the runtime keeps in memory. */
async function* keptLog(
	text: () => string,
	options: LogOptions,
	container: { running(): boolean; onChange(listener: () => void): () => void },
	signal: AbortSignal,
): AsyncGenerator<Buffer> {
	const render = lineRenderer(options);
	let position = 0;
	let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
	let wake = () => {};
	const stop = container.onChange(() => wake());
	signal.addEventListener("abort", () => wake(), { once: true });
	try {
		for (;;) {
			const changed = new Promise<void>((resolve) => {
				wake = resolve;
			});
			const more = options.follow && container.running() && !signal.aborted;
			const all = text();
			let lines = [...new LineSplitter().push(Buffer.from(all.slice(position)))];
			if (position === 0 && options.tailLines !== undefined) {
				lines = lines.slice(Math.max(lines.length - options.tailLines, 0));
			}
			position = all.length;
			const block = Buffer.concat(lines.flatMap((line) => render(line) ?? []));
			if (block.length > 0) yield block.subarray(0, left);
			left -= block.length;
			if (!more || left <= 0) return;
			await changed;
		}
	} finally {
		stop();
	}
}
