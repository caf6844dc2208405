import { messageOf } from "../../../errors.ts";
import { addQuantities, canonicalQuantity, quantityNano, subtractQuantities } from "../../../quantity.ts";
import { boolType, doubleType, intType, objectType, stringType } from "../../types/type.ts";
import { fail } from "../../values/failure.ts";
import { type Int, intOf, isInt64 } from "../../values/integers.ts";
import { asDouble } from "../../values/kind.ts";
import { LibraryValue } from "../../values/value.ts";
import { fixedCost, visitsFirst } from "../costs.ts";
import { type FunctionDeclaration, global, member } from "../function.ts";
import { succeeds } from "./ip.ts";

export const quantityType = objectType("kubernetes.Quantity", { field: () => undefined });

/** A quantity, exact to 1e-9. */
export class Quantity extends LibraryValue {
	readonly typeName = "kubernetes.Quantity";
	readonly text: string;
	/** The value times 10^9. */
	readonly nano: bigint;
	constructor(text: string) {
		super();
		this.text = text;
		this.nano = quantityNano(text);
	}
	equals(other: unknown): boolean {
		return other instanceof Quantity && other.nano === this.nano;
	}
	toString(): string {
		return this.text;
	}
}

const nanoPerUnit = 10n ** 9n;

/** @throws Failure when the text is no quantity */
export function quantityOf(text: string): Quantity {
	try {
		return new Quantity(canonicalQuantity(text));
	} catch (error) {
		return fail(messageOf(error));
	}
}

function compareTo(a: Quantity, b: Quantity): number {
	return a.nano < b.nano ? -1 : a.nano > b.nano ? 1 : 0;
}

function isInteger({ nano }: Quantity): boolean {
	return nano % nanoPerUnit === 0n && isInt64(nano / nanoPerUnit);
}

function asInteger(quantity: Quantity): Int {
	return isInteger(quantity) ? intOf(quantity.nano / nanoPerUnit) : fail("cannot convert value to integer");
}

function asFloat({ nano }: Quantity): unknown {
	return asDouble(Number(nano / nanoPerUnit) + Number(nano % nanoPerUnit) / 1e9);
}

const parses = visitsFirst();
const accessor = fixedCost(1);
const two = [quantityType, quantityType];
const withInt = [quantityType, intType];

export const quantities: readonly FunctionDeclaration[] = [
	{ name: "quantity", ...parses, overloads: [global("string_to_quantity", [stringType], quantityType, quantityOf)] },
	{
		name: "isQuantity",
		...parses,
		overloads: [
			global("is_quantity_string", [stringType], boolType, (text: string) => succeeds(() => quantityOf(text))),
		],
	},
	{
		name: "sign",
		...accessor,
		overloads: [
			global("quantity_sign", [quantityType], intType, ({ nano }: Quantity) => (nano < 0n ? -1 : nano > 0n ? 1 : 0)),
		],
	},
	{
		name: "isGreaterThan",
		...accessor,
		overloads: [member("quantity_is_greater_than", two, boolType, (a: Quantity, b: Quantity) => compareTo(a, b) > 0)],
	},
	{
		name: "isLessThan",
		...accessor,
		overloads: [member("quantity_is_less_than", two, boolType, (a: Quantity, b: Quantity) => compareTo(a, b) < 0)],
	},
	{ name: "compareTo", ...accessor, overloads: [member("quantity_compare_to", two, intType, compareTo)] },
	{
		name: "asApproximateFloat",
		...accessor,
		overloads: [member("quantity_get_float", [quantityType], doubleType, asFloat)],
	},
	{ name: "asInteger", ...accessor, overloads: [member("quantity_get_int", [quantityType], intType, asInteger)] },
	{ name: "isInteger", ...accessor, overloads: [member("quantity_is_integer", [quantityType], boolType, isInteger)] },
	{
		name: "add",
		...accessor,
		overloads: [
			member(
				"quantity_add",
				two,
				quantityType,
				(a: Quantity, b: Quantity) => new Quantity(addQuantities(a.text, b.text)),
			),
			member(
				"quantity_add_int",
				withInt,
				quantityType,
				(a: Quantity, b: Int) => new Quantity(addQuantities(a.text, `${b}e0`)),
			),
		],
	},
	{
		name: "sub",
		...accessor,
		overloads: [
			member(
				"quantity_sub",
				two,
				quantityType,
				(a: Quantity, b: Quantity) => new Quantity(subtractQuantities(a.text, b.text)),
			),
			member(
				"quantity_sub_int",
				withInt,
				quantityType,
				(a: Quantity, b: Int) => new Quantity(subtractQuantities(a.text, `${b}e0`)),
			),
		],
	},
];
