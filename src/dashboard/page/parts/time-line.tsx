/** Spans of time as bars below each other, from the first to the last. */
import { dateTime } from "../text/times.ts";
import type { Tone } from "./status.tsx";

export interface TimeSpan {
	id: string;
	label: string;
	/** Epoch milliseconds. */
	startMs: number;
	endMs: number;
	tone: Tone;
}

const rowHeight = 14;
const width = 1000;
const mostRows = 100;

export function TimeLine({ spans, deadlineMs }: { spans: readonly TimeSpan[]; deadlineMs?: number | undefined }) {
	const shown = spans.slice(-mostRows);
	if (shown.length === 0) return null;
	const firstMs = Math.min(...shown.map(({ startMs }) => startMs));
	const lastMs = Math.max(deadlineMs ?? 0, ...shown.map(({ endMs }) => endMs));
	const scale = width / Math.max(1, lastMs - firstMs);
	const x = (ms: number) => (ms - firstMs) * scale;
	return (
		<figure class="timeline">
			<svg viewBox={`0 0 ${width} ${shown.length * rowHeight}`} preserveAspectRatio="none" role="img">
				<title>{shown.map(({ label }) => label).join(", ")}</title>
				{shown.map(({ id, startMs, endMs, tone, label }, row) => (
					<rect
						key={id}
						class={tone}
						x={x(startMs)}
						y={row * rowHeight + 2}
						width={Math.max(3, x(endMs) - x(startMs))}
						height={rowHeight - 4}
						rx={2}
					>
						<title>
							{label}: {dateTime(startMs)} – {dateTime(endMs)}
						</title>
					</rect>
				))}
				{deadlineMs !== undefined && (
					<line class="deadline" x1={x(deadlineMs)} x2={x(deadlineMs)} y1={0} y2={shown.length * rowHeight} />
				)}
			</svg>
			<figcaption>
				<span>{dateTime(firstMs)}</span>
				<span>{dateTime(lastMs)}</span>
			</figcaption>
		</figure>
	);
}
