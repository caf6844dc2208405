/**
 * The metrics of a process. Counting adds to a number that the counting code holds; names, labels and text are
 * generated on request (exposition.ts), so that a cluster that nobody scrapes pays next to nothing.
 */

/** A number that only grows. */
export class Counter {
	value = 0;

	inc(): void {
		this.value++;
	}

	add(amount: number): void {
		this.value += amount;
	}
}

/** Observations by size. */
export class Histogram {
	/** Upper bounds, inclusive, ascending. */
	readonly bounds: readonly number[];
	/** Observations by the first bound that holds them; the last place is for those above all bounds. */
	readonly counts: number[];
	sum = 0;

	constructor(bounds: readonly number[]) {
		this.bounds = bounds;
		this.counts = new Array<number>(bounds.length + 1).fill(0);
	}

	/** @param weight how often it was observed */
	observe(value: number, weight = 1): void {
		const { bounds, counts } = this;
		// Most are small: the first bounds hold them.
		let place = 0;
		while (place < bounds.length && value > (bounds[place] ?? 0)) place++;
		counts[place] = (counts[place] ?? 0) + weight;
		this.sum += value * weight;
	}
}

export type MetricType = "counter" | "gauge" | "histogram";

export interface MetricSample {
	/** Of a part of the family, such as `name_bucket`; default: the family's. */
	metricName?: string;
	labels: Readonly<Record<string, string>>;
	value: number;
}

/** All series of one name. */
export interface MetricFamily {
	readonly name: string;
	readonly help: string;
	readonly type: MetricType;
	/** As they are now. */
	samples(): MetricSample[];
}

/** Series with the same label names: each is made when it is first asked for, and kept. */
export class Series<T> implements MetricFamily {
	readonly name: string;
	readonly help: string;
	readonly type: MetricType;
	readonly #labelNames: readonly string[];
	readonly #make: () => T;
	readonly #sample: (one: T, labels: Record<string, string>, name: string) => MetricSample[];
	readonly #byLabels = new Map<string, { labels: readonly string[]; one: T }>();

	constructor(
		head: { name: string; help: string; type: MetricType; labelNames: readonly string[] },
		make: () => T,
		sample: (one: T, labels: Record<string, string>, name: string) => MetricSample[],
	) {
		this.name = head.name;
		this.help = head.help;
		this.type = head.type;
		this.#labelNames = head.labelNames;
		this.#make = make;
		this.#sample = sample;
	}

	/** The series of these label values, in the order of the label names. Code that counts often keeps it. */
	of(...labels: string[]): T {
		const key = labels.join("\0");
		let found = this.#byLabels.get(key);
		if (found === undefined) {
			found = { labels, one: this.#make() };
			this.#byLabels.set(key, found);
		}
		return found.one;
	}

	samples(): MetricSample[] {
		return [...this.#byLabels.values()].flatMap(({ labels, one }) =>
			this.#sample(one, labelled(this.#labelNames, labels), this.name),
		);
	}
}

/** A value of a gauge, with its label values in the order of the label names. */
export type GaugeValue = readonly [labels: readonly string[], value: number];

export class MetricRegistry {
	readonly #families: MetricFamily[] = [];

	get families(): readonly MetricFamily[] {
		return this.#families;
	}

	counters(name: string, help: string, labelNames: readonly string[] = []): Series<Counter> {
		const head = { name, help, type: "counter", labelNames } as const;
		return this.add(
			new Series(
				head,
				() => new Counter(),
				({ value }, labels) => [{ labels, value }],
			),
		);
	}

	/** @param bounds upper bounds, ascending */
	histograms(
		name: string,
		help: string,
		bounds: readonly number[],
		labelNames: readonly string[] = [],
	): Series<Histogram> {
		const head = { name, help, type: "histogram", labelNames } as const;
		return this.add(new Series(head, () => new Histogram(bounds), histogramSamples));
	}

	/** @param read the values as they are when they are asked for */
	gauge(name: string, help: string, labelNames: readonly string[], read: () => Iterable<GaugeValue>): void {
		this.#read("gauge", name, help, labelNames, read);
	}

	/** As `gauge`, of what another part counts anyway. */
	counterOf(name: string, help: string, labelNames: readonly string[], read: () => Iterable<GaugeValue>): void {
		this.#read("counter", name, help, labelNames, read);
	}

	#read(
		type: MetricType,
		name: string,
		help: string,
		labelNames: readonly string[],
		read: () => Iterable<GaugeValue>,
	): void {
		const samples = () => [...read()].map(([labels, value]) => ({ labels: labelled(labelNames, labels), value }));
		this.add({ name, help, type, samples });
	}

	add<T extends MetricFamily>(family: T): T {
		this.#families.push(family);
		return family;
	}
}

/** Powers of `factor` from `first` on. */
export function exponentialBounds(first: number, factor: number, count: number): number[] {
	// Products in decimal would carry the binary's errors into labels.
	return Array.from({ length: count }, (_, index) => Number((first * factor ** index).toPrecision(12)));
}

function labelled(names: readonly string[], values: readonly string[]): Record<string, string> {
	return Object.fromEntries(names.map((name, index) => [name, values[index] ?? ""]));
}

/** A series of a histogram: its buckets, its sum and its count. */
export function histogramSamples(
	{ bounds, counts, sum }: Histogram,
	labels: Record<string, string>,
	name: string,
): MetricSample[] {
	let total = 0;
	const samples = counts.map((count, index): MetricSample => {
		total += count;
		const le = index < bounds.length ? String(bounds[index]) : "+Inf";
		return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: total };
	});
	samples.push(
		{ metricName: `${name}_sum`, labels, value: sum },
		{ metricName: `${name}_count`, labels, value: total },
	);
	return samples;
}
