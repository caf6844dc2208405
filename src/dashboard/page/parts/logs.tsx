/** Logs: the last lines beside an explanation, and the logs of several pods at once, followed and filtered. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { messageOf } from "../../../core/errors.ts";
import type { Pod } from "../../../kinds/generated/types.ts";
import type { LogRef } from "../../../why/findings/finding.ts";
import { lines } from "../state/api.ts";
import { words } from "../text/words.ts";

const lastLines = 5;
/** Older lines are dropped: a page is no archive. */
const mostLines = 5000;
const firstLines = 200;
const mostPods = 20;

function logPath(namespace: string, pod: string, query: Record<string, string>): string {
	return `/api/v1/namespaces/${namespace}/pods/${pod}/log?${new URLSearchParams(query)}`;
}

export function LastLines({ namespace, log }: { namespace: string; log: LogRef }) {
	const text = useSignal("");
	const { pod, container, previous } = log;
	useEffect(() => {
		const abort = new AbortController();
		const query = { container, previous: String(previous), tailLines: String(lastLines) };
		void read(logPath(namespace, pod, query), abort.signal, (parts) => {
			text.value += `${parts.join("\n")}\n`;
		});
		return () => abort.abort();
	}, [namespace, pod, container, previous]);
	return text.value === "" ? null : <pre class="log">{text.value}</pre>;
}

/** A log that cannot be read, or ends, is left as it is. */
async function read(path: string, signal: AbortSignal, take: (parts: string[]) => void): Promise<string | undefined> {
	try {
		for await (const parts of lines(path, signal)) take(parts);
		return undefined;
	} catch (error) {
		return signal.aborted ? undefined : messageOf(error);
	}
}

interface LogLine {
	number: number;
	source: string;
	text: string;
}

export function Logs({ pods, container }: { pods: readonly Pod[]; container?: string }) {
	const w = words();
	const shown = useSignal<readonly LogLine[]>([]);
	const filter = useSignal("");
	const follows = useSignal(true);
	const box = useRef<HTMLPreElement>(null);
	const wanted = sourcesOf(pods, container);
	const key = wanted.map(({ pod, container: of }) => `${pod.metadata.uid}/${of}`).join();
	useEffect(() => {
		const abort = new AbortController();
		const buffer = new LineBuffer(shown);
		for (const { pod, container: of } of wanted) {
			const { name, namespace = "" } = pod.metadata;
			const source = pods.length > 1 ? `${name}/${of}` : of;
			const path = logPath(namespace, name, { container: of, follow: "true", tailLines: String(firstLines) });
			void read(path, abort.signal, (parts) => buffer.add(source, parts)).then((problem) => {
				if (problem !== undefined) buffer.add(source, [`(${problem})`]);
			});
		}
		return () => {
			abort.abort();
			buffer.stop();
		};
	}, [key]);
	useEffect(() => {
		if (follows.value && box.current) box.current.scrollTop = box.current.scrollHeight;
	}, [shown.value, follows.value]);
	const visible = filter.value === "" ? shown.value : shown.value.filter(({ text }) => text.includes(filter.value));
	return (
		<section class="logs" aria-label={w.logs}>
			<div class="bar">
				<label>
					{w.filter} <input value={filter.value} onInput={(event) => (filter.value = event.currentTarget.value)} />
				</label>
				<label>
					<input
						type="checkbox"
						checked={follows.value}
						onChange={(event) => (follows.value = event.currentTarget.checked)}
					/>{" "}
					{w.follow}
				</label>
			</div>
			{/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard. */}
			<pre class="log" ref={box} tabIndex={0}>
				{visible.map(({ number, source, text }) => (
					<div key={number}>
						<span class={`source hue${hueOf(source)}`}>{source}</span> {text}
					</div>
				))}
			</pre>
		</section>
	);
}

interface Source {
	pod: Pod;
	container: string;
}

/** Containers that have a log: those that have been started. */
function sourcesOf(pods: readonly Pod[], container: string | undefined): Source[] {
	return pods.slice(0, mostPods).flatMap((pod) => {
		const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
		return [...initContainerStatuses, ...containerStatuses]
			.filter(({ state, name }) => state?.waiting === undefined && (container === undefined || name === container))
			.map(({ name }) => ({ pod, container: name }));
	});
}

/** Collects lines and shows them with the next frame. */
class LineBuffer {
	readonly #shown: { value: readonly LogLine[] };
	#waiting: LogLine[] = [];
	#count = 0;
	#frame: number | undefined;

	constructor(shown: { value: readonly LogLine[] }) {
		this.#shown = shown;
		shown.value = [];
	}

	add(source: string, parts: readonly string[]): void {
		for (const text of parts) this.#waiting.push({ number: this.#count++, source, text });
		this.#frame ??= requestAnimationFrame(() => {
			this.#frame = undefined;
			this.#shown.value = [...this.#shown.value, ...this.#waiting].slice(-mostLines);
			this.#waiting = [];
		});
	}

	stop(): void {
		if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
	}
}

const hues = 6;

function hueOf(source: string): number {
	let sum = 0;
	for (const char of source) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 1_000_003;
	return sum % hues;
}
