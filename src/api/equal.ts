/** Whether two JSON values mean the same; a field that is undefined is no field. */
export function deepEqual(a: unknown, b: unknown): boolean {
	if (a === b) return true;
	if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
	if (Array.isArray(a)) {
		if (!Array.isArray(b) || a.length !== b.length) return false;
		for (let index = 0; index < a.length; index++) if (!deepEqual(a[index], b[index])) return false;
		return true;
	}
	if (Array.isArray(b)) return false;
	return equalFields(a as Fields, b as Fields, noFields);
}

type Fields = Record<string, unknown>;
const noFields: ReadonlySet<string> = new Set();

/** As `deepEqual` for objects, apart from some of their fields. */
export function equalFields(a: Readonly<Fields>, b: Readonly<Fields>, except: ReadonlySet<string>): boolean {
	// By number, not by looking up: what every object inherits, such as `constructor`, is no field of either.
	let fieldCount = 0;
	for (const key in a) {
		if (a[key] === undefined || except.has(key)) continue;
		if (!deepEqual(a[key], b[key]) || (key === "__proto__" && !Object.hasOwn(b, key))) return false;
		fieldCount++;
	}
	for (const key in b) if (b[key] !== undefined && !except.has(key)) fieldCount--;
	return fieldCount === 0;
}
