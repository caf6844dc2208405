/** Numbers in schemas and values, which to upstream are integers of 64 bits or floating-point numbers. */

const largestInteger = 2 ** 63;
const largestFloat32 = 3.4028235677973366e38;
/** Up to this, integers that are written with a fraction or an exponent are taken for integers. */
const largestSafe = 2 ** 53 - 1;
const closeness = 1e-9;

/** Whether a number of a JSON text is an integer to upstream. */
export function isInt64(value: number): boolean {
	return Number.isInteger(value) && value >= -largestInteger && value < largestInteger;
}

/** Whether a number counts as an integer where one is wanted; almost is enough. */
export function passesForInteger(value: number): boolean {
	if (isInt64(value)) return true;
	if (!Number.isFinite(value) || Math.abs(value) > largestSafe) return false;
	const whole = Math.trunc(value);
	return Math.abs(value - whole) / (Math.abs(value) + Math.abs(whole)) < closeness;
}

/** Whether the number fits in a type of this format. */
export function fits(value: number, type: string, format: string): boolean {
	if (type === "integer") {
		if (format === "int32") return Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31;
		return isInt64(value);
	}
	return format !== "float" || Math.abs(value) < largestFloat32;
}

/** As Go's `%v` prints it: `1e+06` for a floating-point number, `1000000` for an integer. */
export function numberText(value: number, isInteger = isInt64(value)): string {
	if (isInteger) return BigInt(value).toString();
	const [digits = "", exponent = ""] = value.toExponential().split("e");
	const power = Number(exponent);
	if (power >= -4 && power < 6) return String(value);
	return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}
