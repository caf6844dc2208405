import { fail } from "./failure.ts";
import { isInt64 } from "./integers.ts";
import { CelValue } from "./value.ts";

/** A span of time: a 64-bit count of nanoseconds. */
export class Duration extends CelValue {
	readonly typeName = "google.protobuf.Duration";
	readonly nanos: bigint;
	constructor(nanos: bigint) {
		super();
		this.nanos = nanos;
	}
	equals(other: unknown): boolean {
		return other instanceof Duration && other.nanos === this.nanos;
	}
	/** Seconds, as `3723.004s`. */
	text(): string {
		return `${secondsText(this.nanos)}s`;
	}
}

/** @throws Failure when it does not fit into 64 bits */
export function durationOf(nanos: bigint): Duration {
	if (!isInt64(nanos)) fail("duration overflow");
	return new Duration(nanos);
}

const unitNanos: Readonly<Record<string, bigint>> = {
	ns: 1n,
	us: 1000n,
	"\u00b5s": 1000n,
	"\u03bcs": 1000n,
	ms: 1_000_000n,
	s: 1_000_000_000n,
	m: 60_000_000_000n,
	h: 3_600_000_000_000n,
};

const component = /([0-9]*)(?:\.([0-9]*))?(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/y;

/** A duration as Go writes it (`1h2m3.5s`), exact; undefined when the text is none or it does not fit into 64 bits. */
export function parseDuration(text: string): Duration | undefined {
	const negative = text.startsWith("-");
	const unsigned = negative || text.startsWith("+") ? text.slice(1) : text;
	if (unsigned === "0") return new Duration(0n);
	if (unsigned === "" || unsigned.length > 1000) return undefined;
	let total = 0n;
	for (let at = 0; at < unsigned.length; at = component.lastIndex) {
		component.lastIndex = at;
		const match = component.exec(unsigned);
		const [whole, fraction, unit] = [match?.[1] ?? "", match?.[2] ?? "", match?.[3] ?? ""];
		if (match === null || whole + fraction === "") return undefined;
		const nanos = unitNanos[unit] ?? 0n;
		total += BigInt(whole || "0") * nanos + (BigInt(fraction || "0") * nanos) / 10n ** BigInt(fraction.length);
	}
	const value = negative ? -total : total;
	return isInt64(value) ? new Duration(value) : undefined;
}

/** Seconds with as many decimals as the double nearest to them has. */
function secondsText(nanos: bigint): string {
	const whole = nanos / 1_000_000_000n;
	const seconds = Number(whole) + Number(nanos % 1_000_000_000n) / 1e9;
	const text = String(seconds);
	if (!text.includes("e")) return text;
	// JavaScript writes small numbers with an exponent.
	return seconds.toFixed(9).replace(/0+$/, "");
}
