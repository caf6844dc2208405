import { TokenCursor } from "./cursor.ts";
import type { Item, MapEntry, Node, ObjectField } from "./syntax.ts";

/** Lists, maps and objects as expressions write them. Each may end with a comma. */
export abstract class CollectionParser extends TokenCursor {
	protected abstract expression(): Node;

	protected abstract fieldName(): string;

	/** From the brace on. */
	protected object(name: string): Node {
		const { at } = this.expect("{");
		const fields: ObjectField[] = [];
		while (!this.is("}")) {
			const optional = this.takes("?");
			const field = this.fieldName();
			const colon = this.expect(":");
			fields.push({ at: colon.at, name: field, value: this.expression(), optional });
			if (!this.takes(",")) break;
		}
		this.expect("}");
		return { kind: "object", at, name, fields };
	}

	protected list(): Node {
		const { at } = this.next();
		const items: Item[] = [];
		while (!this.is("]")) {
			const optional = this.takes("?");
			const value = this.expression();
			items.push({ at: value.at, value, optional });
			if (!this.takes(",")) break;
		}
		this.expect("]");
		return { kind: "list", at, items };
	}

	protected map(): Node {
		const { at } = this.next();
		const entries: MapEntry[] = [];
		while (!this.is("}")) {
			const optional = this.takes("?");
			const key = this.expression();
			const colon = this.expect(":");
			entries.push({ at: colon.at, key, value: this.expression(), optional });
			if (!this.takes(",")) break;
		}
		this.expect("}");
		return { kind: "map", at, entries };
	}
}
