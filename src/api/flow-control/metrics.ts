/** `apiserver_flowcontrol_…`. Counting is an addition; what levels know anyway is read when it is asked for. */
import {
	type Counter,
	type GaugeValue,
	type Histogram,
	histogramSamples,
	type MetricFamily,
	type MetricRegistry,
	type Series,
} from "../../core/metrics/registry.ts";
import type { Utilization } from "./lasting.ts";
import type { Level } from "./level.ts";
import type { Refusal } from "./queues.ts";

const prefix = "apiserver_flowcontrol_";
const classLabels = ["priority_level", "flow_schema"];
const secondsBounds = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30];
const lengthBounds = [0, 10, 25, 50, 100, 250, 500, 1000];
const seatBounds = [1, 2, 4, 8, 16, 32, 64, 100];

/** What is counted of one FlowSchema's requests to one level. */
export class ClassCounts {
	readonly seats: Histogram;
	/** Of queues, as they were found. */
	readonly queueLengths: Histogram;
	/** Turns for which there were too few seats. */
	readonly stayed: Counter;
	readonly #dispatched: Counter;
	readonly #execution: Histogram;
	readonly #ofWaiting: (isRun: boolean) => Histogram;
	readonly #ofRefusal: (why: Refusal) => Counter;
	executing = 0;
	executingSeats = 0;
	queued = 0;
	queuedSeats = 0;

	constructor(parts: FamiliesOfClass, labels: readonly [string, string]) {
		this.seats = parts.seats.of(...labels);
		this.queueLengths = parts.lengths.of(...labels);
		this.stayed = parts.stayed.of(...labels);
		this.#dispatched = parts.dispatched.of(...labels);
		this.#execution = parts.execution.of(...labels, "regular");
		this.#ofWaiting = (isRun) => parts.waiting.of(...labels, String(isRun));
		this.#ofRefusal = (why) => parts.rejected.of(...labels, why);
	}

	waits(seats: number, count: 1 | -1): void {
		this.queued += count;
		this.queuedSeats += count * seats;
	}

	waited(isRun: boolean, ms: number): void {
		this.#ofWaiting(isRun).observe(ms / 1000);
	}

	rejected(why: Refusal): void {
		this.#ofRefusal(why).inc();
	}

	begins(seats: number): void {
		this.#dispatched.inc();
		this.executing++;
		this.executingSeats += seats;
	}

	ends(seats: number, ms: number): void {
		this.#execution.observe(ms / 1000);
		this.executing--;
		this.executingSeats -= seats;
	}
}

interface FamiliesOfClass {
	rejected: Series<Counter>;
	dispatched: Series<Counter>;
	waiting: Series<Histogram>;
	execution: Series<Histogram>;
	seats: Series<Histogram>;
	lengths: Series<Histogram>;
	stayed: Series<Counter>;
}

export class FlowMetrics {
	readonly #families: FamiliesOfClass;
	readonly #byLabels = new Map<string, { labels: readonly [string, string]; counts: ClassCounts }>();

	constructor(metrics: MetricRegistry, levels: () => readonly Level[]) {
		const name = (short: string) => `${prefix}${short}`;
		this.#families = {
			rejected: metrics.counters(name("rejected_requests_total"), "Refused requests", [...classLabels, "reason"]),
			dispatched: metrics.counters(name("dispatched_requests_total"), "Requests that were run", classLabels),
			waiting: metrics.histograms(
				name("request_wait_duration_seconds"),
				"How long requests waited for seats, of those that had to",
				secondsBounds,
				[...classLabels, "execute"],
			),
			execution: metrics.histograms(
				name("request_execution_seconds"),
				"How long requests had their seats",
				secondsBounds,
				[...classLabels, "type"],
			),
			seats: metrics.histograms(name("work_estimated_seats"), "Seats that requests take", seatBounds, classLabels),
			lengths: metrics.histograms(
				name("request_queue_length_after_enqueue"),
				"Length of the queue that a request waits in, with it",
				lengthBounds,
				classLabels,
			),
			stayed: metrics.counters(
				name("request_dispatch_no_accommodation_total"),
				"Turns of requests for which there were too few seats",
				classLabels,
			),
		};
		const ofClasses = (short: string, help: string, read: (counts: ClassCounts) => number) =>
			metrics.gauge(name(short), help, classLabels, () =>
				[...this.#byLabels.values()].map(({ labels, counts }): GaugeValue => [labels, read(counts)]),
			);
		ofClasses("current_inqueue_requests", "Requests that wait", ({ queued }) => queued);
		ofClasses("current_inqueue_seats", "Seats that are waited for", ({ queuedSeats }) => queuedSeats);
		ofClasses("current_executing_requests", "Requests that have seats", ({ executing }) => executing);
		ofClasses("current_executing_seats", "Seats that are taken", ({ executingSeats }) => executingSeats);
		const ofLevels = (short: string, help: string, read: (level: Level) => number) =>
			metrics.gauge(name(short), help, ["priority_level"], () =>
				levels().map((level): GaugeValue => [[level.name], read(level)]),
			);
		ofLevels("nominal_limit_seats", "Seats by shares", ({ limits }) => limits.nominal);
		ofLevels("lower_limit_seats", "Seats that are never lent", ({ limits }) => limits.least);
		ofLevels("upper_limit_seats", "Seats with all that may be borrowed", ({ limits }) => limits.most);
		ofLevels("current_limit_seats", "Seats with what is lent and borrowed now", ({ current }) => current);
		ofLevels("target_seats", "Seats by need, at the last division", ({ target }) => target);
		const needed = "Seats needed in the last period";
		ofLevels("demand_seats_high_watermark", `${needed}: the most`, ({ demand }) => demand.high);
		ofLevels("demand_seats_average", `${needed}: on average`, ({ demand }) => demand.average);
		ofLevels("demand_seats_stdev", `${needed}: standard deviation`, ({ demand }) => demand.deviation);
		ofLevels("demand_seats_smoothed", "Seats that levels are planned to need", ({ demand }) => demand.smoothed);
		const lasting = (short: string, help: string, read: Read) =>
			metrics.add(utilizationFamily(name(short), `${help}, in nanoseconds`, levels, read));
		lasting(
			"priority_level_seat_utilization",
			"How long which part of the seats was taken",
			({ seats: executing }) => ({ executing }),
		);
		lasting(
			"priority_level_request_utilization",
			"How long as many requests as which part of the seats, or of the places in queues, ran or waited",
			({ executing, waiting }) => ({ executing, waiting }),
		);
		lasting("demand_seats", "How long which part of the seats was taken or waited for", ({ demand }) => ({
			"": demand,
		}));
	}

	/** Of a level and a FlowSchema, by name. */
	of(level: string, schema: string): ClassCounts {
		const key = `${level} ${schema}`;
		let found = this.#byLabels.get(key);
		if (found === undefined) {
			const labels = [level, schema] as const;
			found = { labels, counts: new ClassCounts(this.#families, labels) };
			this.#byLabels.set(key, found);
		}
		return found.counts;
	}
}

/** What of a level, by its phase; without a phase by `""`. */
type Read = (of: Utilization) => Readonly<Record<string, { histogram: Histogram }>>;

function utilizationFamily(name: string, help: string, levels: () => readonly Level[], read: Read): MetricFamily {
	const samples = () =>
		levels().flatMap((level) => {
			// What is so now has lasted until now.
			level.note();
			return Object.entries(read(level.utilization)).flatMap(([phase, { histogram }]) =>
				histogramSamples(histogram, { ...(phase !== "" && { phase }), priority_level: level.name }, name),
			);
		});
	return { name, help, type: "histogram", samples };
}
