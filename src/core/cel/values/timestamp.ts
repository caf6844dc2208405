import { type Duration, durationOf } from "./duration.ts";
import { fail } from "./failure.ts";
import { CelValue } from "./value.ts";

/** The first and last second that a timestamp may have: the years 1 to 9999. */
const [firstSecond, lastSecond] = [-62135596800, 253402300799];

/** A point in time, to the nanosecond. */
export class Timestamp extends CelValue {
	readonly typeName = "google.protobuf.Timestamp";
	/** Since 1970, rounded down. */
	readonly seconds: number;
	readonly nanos: number;
	/** The offset from UTC that the text had, which the text that is made of it has, too. */
	readonly offsetSeconds: number;
	constructor(seconds: number, nanos: number, offsetSeconds = 0) {
		super();
		this.seconds = seconds;
		this.nanos = nanos;
		this.offsetSeconds = offsetSeconds;
	}
	equals(other: unknown): boolean {
		return other instanceof Timestamp && other.seconds === this.seconds && other.nanos === this.nanos;
	}
	/** RFC 3339, with as many decimals as the nanoseconds need. */
	text(): string {
		const wall = new Date((this.seconds + this.offsetSeconds) * 1000).toISOString().replace(/\.000Z$/, "");
		const fraction = this.nanos === 0 ? "" : `.${String(this.nanos).padStart(9, "0").replace(/0+$/, "")}`;
		return wall + fraction + offsetText(this.offsetSeconds);
	}
}

function offsetText(offsetSeconds: number): string {
	if (offsetSeconds === 0) return "Z";
	const minutes = Math.abs(offsetSeconds) / 60;
	const two = (value: number) => String(Math.trunc(value)).padStart(2, "0");
	return `${offsetSeconds < 0 ? "-" : "+"}${two(minutes / 60)}:${two(minutes % 60)}`;
}

/** @throws Failure outside the years 1 to 9999 */
export function timestampOf(seconds: number, nanos: number, offsetSeconds = 0): Timestamp {
	if (!(seconds >= firstSecond && seconds <= lastSecond)) fail("timestamp overflow");
	return new Timestamp(seconds, nanos, offsetSeconds);
}

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d?):(\d\d):(\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:\d\d)$/;

/** A time in RFC 3339; undefined when the text is none. @throws Failure outside the years 1 to 9999 */
export function parseTimestamp(text: string): Timestamp | undefined {
	const match = text.length > 1000 ? null : rfc3339.exec(text);
	if (match === null) return undefined;
	const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number);
	if (month === undefined || day === undefined || year === undefined) return undefined;
	if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;
	if ((hour ?? 24) > 23 || (minute ?? 60) > 59 || (second ?? 60) > 59) return undefined;
	const offsetSeconds = parseOffset(match[8] ?? "");
	if (offsetSeconds === undefined) return undefined;
	const date = new Date(0);
	date.setUTCFullYear(year, month - 1, day);
	const seconds = date.getTime() / 1000 + (hour ?? 0) * 3600 + (minute ?? 0) * 60 + (second ?? 0) - offsetSeconds;
	return timestampOf(seconds, Number((match[7] ?? "").slice(0, 9).padEnd(9, "0")), offsetSeconds);
}

function parseOffset(text: string): number | undefined {
	if (text === "Z") return 0;
	const [hours, minutes] = [Number(text.slice(1, 3)), Number(text.slice(4))];
	if (hours > 24 || minutes > 60) return undefined;
	return (text.startsWith("-") ? -1 : 1) * (hours * 3600 + minutes * 60);
}

export function daysIn(year: number, month: number): number {
	const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
	if (month === 2) return leap ? 29 : 28;
	return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** Negative, zero or positive as `a` is before, at or after `b`. */
export function compareTimestamps(a: Timestamp, b: Timestamp): number {
	return a.seconds - b.seconds || a.nanos - b.nanos;
}

const second = 1_000_000_000n;

/** @throws Failure outside the years 1 to 9999 */
export function addDuration(time: Timestamp, duration: Duration): Timestamp {
	const nanos = BigInt(time.seconds) * second + BigInt(time.nanos) + duration.nanos;
	const rest = ((nanos % second) + second) % second;
	return timestampOf(Number((nanos - rest) / second), Number(rest), time.offsetSeconds);
}

/** @throws Failure when the span does not fit into 64 bits */
export function timeBetween(a: Timestamp, b: Timestamp): Duration {
	const nanos = BigInt(a.seconds - b.seconds) * second + BigInt(a.nanos - b.nanos);
	if (nanos !== BigInt.asIntN(64, nanos)) fail("integer overflow");
	return durationOf(nanos);
}
