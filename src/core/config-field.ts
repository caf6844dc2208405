/** Reads a configuration file of a known shape, field by field, and collects what is wrong with it by its paths. */
import type { Cause } from "./errors.ts";
import { notSupported, typeInvalid } from "./field-errors.ts";

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
		const value = isMapping(this.value) && Object.hasOwn(this.value, name) ? this.value[name] : undefined;
		return new ConfigField(value, this.#causes, this.path === "" ? name : `${this.path}.${name}`);
	}

	/** Complains of fields that are not among those, and of what is no mapping. */
	knows(names: readonly string[]): void {
		if (this.isAbsent) return;
		if (!isMapping(this.value)) {
			this.wrong(typeInvalid(this.path, "must be a mapping"));
			return;
		}
		for (const name of Object.keys(this.value))
			if (!names.includes(name)) this.wrong(typeInvalid(this.field(name).path, "unknown field"));
	}

	/** Complains of another `apiVersion` and `kind`. */
	expectType(apiVersions: readonly string[], kind: string): void {
		const [foundVersion, foundKind] = [this.field("apiVersion"), this.field("kind")];
		if (!apiVersions.includes(foundVersion.text()))
			foundVersion.wrong(notSupported(foundVersion.path, foundVersion.value, apiVersions));
		if (foundKind.text() !== kind) foundKind.wrong(notSupported(foundKind.path, foundKind.value, [kind]));
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

	wrong(...causes: readonly Cause[]): void {
		this.#causes.push(...causes);
	}
}

/** Everything that is wrong, for a person: `rules[0].level: Required value; …`. */
export function causesText(causes: readonly Cause[]): string {
	return causes.map(({ field, message }) => (field ? `${field}: ${message}` : message)).join("; ");
}

function isMapping(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
