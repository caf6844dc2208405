import type { Issue } from "../parse/issue.ts";
import { errorType, type Type, typeText } from "../types/type.ts";
import { Unifier } from "./unify.ts";

/** Mistakes in the types of an expression, in cel-go's words. */
export class CheckReport {
	readonly issues: Issue[] = [];
	protected readonly unifier = new Unifier();

	protected report(at: number, message: string): void {
		this.issues.push({ at, message });
	}

	protected mismatch(at: number, expected: Type, found: Type): void {
		this.report(at, `expected type '${typeText(expected)}' but found '${typeText(found)}'`);
	}

	protected text(type: Type): string {
		return typeText(this.unifier.resolved(type, true));
	}

	protected noOverload(at: number, name: string, types: readonly Type[], member: boolean): Type {
		const texts = types.map((type) => this.text(type));
		const target = member ? `${texts.shift()}.` : "";
		this.report(at, `found no matching overload for '${name}' applied to '${target}(${texts.join(", ")})'`);
		return errorType;
	}

	protected undeclared(at: number, name: string): Type {
		this.report(at, `undeclared reference to '${name}' (in container '')`);
		return errorType;
	}

	protected wrongField(at: number, name: string, declared: Type, found: Type): void {
		const [wanted, given] = [this.text(declared), this.text(found)];
		this.report(at, `expected type of field '${name}' is '${wanted}' but provided type is '${given}'`);
	}
}
