/** Which fields of two objects differ. */
import { sameJson } from "../equal.ts";
import { type Differences, differencesOf, mark, type Recorder, TokenList } from "./recorded.ts";
import { type FieldSchema, isObject, type JsonObject, own, type Schemas } from "./schema.ts";
import { areAligned, edgeOf, itemSchema, itemsByEdge, type Shape, shapeOf } from "./shapes.ts";

/** Fields that no manager owns: at the top of an object, and in its metadata. */
export interface Unowned {
	top: ReadonlySet<string>;
	metadata: ReadonlySet<string>;
}

/** How the fields of `updated` differ from those of `old`, both objects of the type. */
export function compare(old: JsonObject, updated: JsonObject, field: FieldSchema, schemas: Schemas): Differences {
	const recorder = new TokenList();
	new Comparison(recorder, schemas).fields(old, updated, shapeOf(field, updated, schemas));
	return differencesOf(recorder.tokens);
}

/** Records how whole objects differ, apart from fields that no manager owns. */
export function compareObjects(
	recorder: Recorder,
	old: JsonObject,
	updated: JsonObject,
	field: FieldSchema,
	schemas: Schemas,
	unowned: Unowned,
): void {
	const comparison = new Comparison(recorder, schemas);
	const shape = shapeOf(field, updated, schemas);
	comparison.fields(old, updated, shape, unowned.top);
	comparison.member("metadata", old, updated, shape, unowned.metadata);
}

class Comparison {
	readonly #recorder: Recorder;
	readonly #schemas: Schemas;
	/** Edges on the way to a difference, should there be one, and whether they are items'. */
	readonly #above: string[] = [];
	readonly #areItems: boolean[] = [];
	/** So many of them have been recorded. */
	#recorded = 0;

	constructor(recorder: Recorder, schemas: Schemas) {
		this.#recorder = recorder;
		this.#schemas = schemas;
	}

	/** Of an object's field, which is an object itself. */
	member(name: string, old: JsonObject, updated: JsonObject, shape: Shape, except: ReadonlySet<string>): void {
		const [before, after] = [old[name] ?? nothing, updated[name] ?? nothing];
		if (before === after || !isObject(before) || !isObject(after)) return;
		const below = shapeOf(itemSchema(shape, name), after, this.#schemas);
		this.#begin(name, false);
		this.fields(before, after, below, except);
		this.#finish();
	}

	fields(old: JsonObject, updated: JsonObject, shape: Shape, except?: ReadonlySet<string>): void {
		for (const key in updated) {
			const after = updated[key];
			if (after === undefined || except?.has(key)) continue;
			const before = old[key];
			if (before === after) continue;
			// What every object inherits is no field.
			const isThere = before !== undefined && Object.hasOwn(old, key);
			this.#edge(key, false, isThere ? before : undefined, after, itemSchema(shape, key));
		}
		for (const key in old) {
			if (old[key] === undefined || except?.has(key) || own(updated, key) !== undefined) continue;
			this.#edge(key, false, old[key], undefined, itemSchema(shape, key));
		}
	}

	#items(old: readonly unknown[], updated: readonly unknown[], shape: Shape): void {
		// Of most lists nothing changes, and looking for their items' keys takes long.
		if (sameJson(old, updated)) return;
		if (shape.form === "list" && areAligned(old, updated, shape)) {
			for (let index = 0; index < old.length; index++) {
				const [before, after] = [old[index], updated[index]];
				if (before !== after) this.#edge(edgeOf(after, shape, this.#schemas), true, before, after, shape.item);
			}
			return;
		}
		const [before, after] = [itemsByEdge(old, shape, this.#schemas), itemsByEdge(updated, shape, this.#schemas)];
		const item = shape.form === "list" ? shape.item : text;
		for (const [edge, value] of after) this.#edge(edge, true, before.get(edge), value, item);
		for (const [edge, value] of before) if (!after.has(edge)) this.#edge(edge, true, value, undefined, item);
	}

	#edge(name: string, isItem: boolean, before: unknown, after: unknown, field: FieldSchema | undefined): void {
		const old = before === undefined ? whenAbsent(field) : before;
		const updated = after === undefined && before !== undefined ? whenAbsent(field) : after;
		if (old === updated) return;
		if (old === undefined) {
			this.#put(mark.changed, name, isItem);
			this.#everything(updated, field);
		} else if (updated === undefined) {
			this.#put(mark.removed, name, isItem);
			this.#everything(old, field);
		} else {
			const shape = shapeOf(field, updated, this.#schemas);
			if (shape.form === "leaf" || shapeOf(field, old, this.#schemas).form === "leaf") {
				if (sameJson(old, updated)) return;
				this.#put(mark.changed, name, isItem);
				this.#recorder.put(mark.end);
			} else this.#below(name, isItem, old, updated, shape);
		}
	}

	#below(name: string, isItem: boolean, old: unknown, updated: unknown, shape: Shape): void {
		this.#begin(name, isItem);
		if (isObject(old) && isObject(updated)) this.fields(old, updated, shape);
		else if (Array.isArray(old) && Array.isArray(updated)) this.#items(old, updated, shape);
		this.#finish();
	}

	#begin(name: string, isItem: boolean): void {
		this.#above.push(name);
		this.#areItems.push(isItem);
	}

	#finish(): void {
		this.#above.pop();
		this.#areItems.pop();
		if (this.#recorded <= this.#above.length) return;
		this.#recorded = this.#above.length;
		this.#recorder.put(mark.end);
	}

	/** With what is above it, if that has not been recorded. */
	#put(what: number, name: string, isItem: boolean): void {
		for (; this.#recorded < this.#above.length; this.#recorded++) {
			this.#recorder.put(mark.below);
			this.#putEdge(this.#above[this.#recorded] ?? "", this.#areItems[this.#recorded] === true);
		}
		this.#recorder.put(what);
		this.#putEdge(name, isItem);
	}

	#putEdge(name: string, isItem: boolean): void {
		if (isItem) this.#recorder.putItem(name);
		else this.#recorder.put(name);
	}

	/** What there is in a value, objects and lists themselves included. */
	#everything(value: unknown, field: FieldSchema | undefined): void {
		const shape = shapeOf(field, value, this.#schemas);
		if (shape.form === "leaf") {
			// Nothing is below it.
		} else if (isObject(value)) {
			for (const key in value) {
				const below = value[key];
				if (below === undefined) continue;
				this.#recorder.put(key);
				this.#everything(below, itemSchema(shape, key));
			}
		} else if (Array.isArray(value)) {
			for (const [edge, item] of itemsByEdge(value, shape, this.#schemas)) {
				this.#recorder.putItem(edge);
				if (shape.form === "list") this.#everything(item, shape.item);
				else this.#recorder.put(mark.end);
			}
		}
		this.#recorder.put(mark.end);
	}
}

const nothing: JsonObject = Object.freeze({});
const text: FieldSchema = { type: "string" };

/** The value of a field that is not set: some objects and lists always exist, and then no manager owns them. */
function whenAbsent(field: FieldSchema | undefined): unknown {
	if (isObject(field?.default)) return field.default;
	return field?.required && field.of === "array" && field.listType === "map" ? emptyList : undefined;
}

const emptyList: readonly unknown[] = [];
