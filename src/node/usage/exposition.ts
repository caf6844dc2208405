/** The text format of Prometheus, version 0.0.4. Pure. */

export interface MetricFamily {
	name: string;
	type: "counter" | "gauge";
	/** One line. */
	help: string;
	samples: readonly Sample[];
}

export interface Sample {
	labels?: Readonly<Record<string, string>>;
	value: number;
	/** Timestamp of the sample; undefined: now. */
	atMs?: number;
}

export const expositionType = "text/plain; version=0.0.4; charset=utf-8";

/** Families without samples are left out. */
export function exposition(families: readonly MetricFamily[]): string {
	return families
		.filter(({ samples }) => samples.length > 0)
		.map(familyText)
		.join("");
}

function familyText({ name, type, help, samples }: MetricFamily): string {
	const lines = samples.map(({ labels = {}, value, atMs }) => {
		const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
		return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}${atMs === undefined ? "" : ` ${atMs}`}\n`;
	});
	return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function escaped(text: string): string {
	return text.replace(/["\\\n]/g, (character) => (character === "\n" ? "\\n" : `\\${character}`));
}
