/** Reads a configuration file of a known shape, field by field, and collects what is wrong with it by its paths. */

import type { Cause } from "../errors.ts";
import { isRecord } from "../object.ts";
import { parseQuantity } from "../quantity.ts";
import { parseDuration } from "../time/duration.ts";
import { invalidValue, notSupported, typeInvalid } from "./field-errors.ts";

/** One value in a document that a person wrote: of what type it is has yet to be seen. */
export class ConfigField {
	readonly value: unknown;
	/** Such as `rules[0].level`; empty for the document. */
	readonly path: string;
	readonly #causes: Cause[];

	/** @param causes where everything that is wrong is added, for the whole document */
	constructor(value: unknown, causes: Cause[], path = "") {
		this.value = value;
		this.path = path;
		this.#causes = causes;
	}

	/** Absent and null mean the same. */
	get isAbsent(): boolean {
		return this.value === undefined || this.value === null;
	}

	/** A field of a mapping; absent when there is none. */
	field(name: string): ConfigField {
		const value = isRecord(this.value) && Object.hasOwn(this.value, name) ? this.value[name] : undefined;
		return new ConfigField(value, this.#causes, this.path === "" ? name : `${this.path}.${name}`);
	}

	/** Of its fields; none for what is no mapping. */
	names(): string[] {
		return isRecord(this.value) ? Object.keys(this.value) : [];
	}

	/**
	 * Complains of fields that are not among those, and of what is no mapping.
	 * @param why such a field is refused
	 */
	knows(names: readonly string[], why = "unknown field"): void {
		if (this.isAbsent) return;
		if (!isRecord(this.value)) {
			this.wrong(typeInvalid(this.path, "must be a mapping"));
			return;
		}
		for (const name of Object.keys(this.value))
			if (!names.includes(name)) this.wrong(typeInvalid(this.field(name).path, why));
	}

	/** Complains of another `apiVersion` and `kind`, and, unless they are optional, of none. */
	expectType(apiVersions: readonly string[], kind: string, { isOptional = false } = {}): void {
		for (const [name, supported] of [
			["apiVersion", apiVersions],
			["kind", [kind]],
		] as const) {
			const field = this.field(name);
			if ((isOptional && field.isAbsent) || supported.includes(field.text())) continue;
			field.wrong(notSupported(field.path, field.value, supported));
		}
	}

	/** Empty when it is absent, or no list. */
	list(): ConfigField[] {
		if (this.isAbsent) return [];
		if (Array.isArray(this.value))
			return this.value.map((item: unknown, index) => new ConfigField(item, this.#causes, `${this.path}[${index}]`));
		this.wrong(typeInvalid(this.path, "must be a list"));
		return [];
	}

	/** Empty when it is absent, or no text. */
	text(): string {
		if (this.isAbsent) return "";
		if (typeof this.value === "string") return this.value;
		this.wrong(typeInvalid(this.path, "must be text"));
		return "";
	}

	texts(): string[] {
		return this.list().map((item) => item.text());
	}

	/** Undefined when it is absent, or neither true nor false. */
	truth(): boolean | undefined {
		if (this.isAbsent) return undefined;
		if (typeof this.value === "boolean") return this.value;
		this.wrong(typeInvalid(this.path, "must be true or false"));
		return undefined;
	}

	/** A whole number of `least` or more; undefined when it is absent, or none. */
	whole(least: number): number | undefined {
		if (this.isAbsent) return undefined;
		if (typeof this.value === "number" && Number.isSafeInteger(this.value) && this.value >= least) return this.value;
		this.wrong(invalidValue(this.path, this.value, `must be a whole number of ${least} or more`));
		return undefined;
	}

	/** Bytes of a quantity such as `10Mi`; undefined when it is absent, none, or less than `least`. */
	bytes(least: number): number | undefined {
		return this.#parsed(parseQuantity, least, `must be a quantity of ${least} bytes or more`, Math.floor);
	}

	/** Milliseconds of a duration such as `1m30s`; undefined when it is absent, none, or less than `leastMs`. */
	milliseconds(leastMs: number): number | undefined {
		const parse = (value: string | number) => (typeof value === "string" ? parseDuration(value) : Number.NaN);
		return this.#parsed(parse, leastMs, `must be a duration of ${leastMs / 1000}s or more`, (ms) => ms);
	}

	#parsed(
		parse: (value: string | number) => number,
		least: number,
		wanted: string,
		rounded: (found: number) => number,
	): number | undefined {
		if (this.isAbsent) return undefined;
		const { value } = this;
		try {
			const found = typeof value === "string" || typeof value === "number" ? parse(value) : Number.NaN;
			if (found >= least) return rounded(found);
		} catch {
			// As below.
		}
		this.wrong(invalidValue(this.path, value, wanted));
		return undefined;
	}

	wrong(...causes: readonly Cause[]): void {
		this.#causes.push(...causes);
	}
}

/** Everything that is wrong, for a person: `rules[0].level: Required value; …`. */
export function causesText(causes: readonly Cause[]): string {
	return causes.map(({ field, message }) => (field ? `${field}: ${message}` : message)).join("; ");
}
