/** Numbers that carry a digit by which mistakes are found. */

const tooLong = 4096;

export function isIsbn10(text: string): boolean {
	const digits = bare(text);
	if (!/^[0-9]{9}[0-9X]$/.test(digits)) return false;
	let sum = 0;
	for (let index = 0; index < 10; index++) sum += (index + 1) * (digits[index] === "X" ? 10 : Number(digits[index]));
	return sum % 11 === 0;
}

export function isIsbn13(text: string): boolean {
	const digits = bare(text);
	if (!/^[0-9]{13}$/.test(digits)) return false;
	let sum = 0;
	for (let index = 0; index < 13; index++) sum += (index % 2 === 0 ? 1 : 3) * Number(digits[index]);
	return sum % 10 === 0;
}

/** Beginnings and lengths of the issuers' numbers. */
const issuers =
	/^(?:4\d{12}(?:\d{3})?|5[1-5]\d{14}|6(?:011|5\d\d)\d{12}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|(?:2131|1800|35\d{3})\d{11})$/;

/** Characters between the digits are ignored. */
export function isCreditCard(text: string): boolean {
	const digits = text.length > tooLong ? "" : text.replace(/[^0-9]+/g, "");
	if (!issuers.test(digits)) return false;
	let sum = 0;
	for (let index = 0; index < digits.length; index++) {
		const digit = Number(digits[digits.length - 1 - index]);
		const weighed = index % 2 === 0 ? digit : digit * 2;
		sum += weighed > 9 ? weighed - 9 : weighed;
	}
	return sum % 10 === 0;
}

function bare(text: string): string {
	return text.length > tooLong ? "" : text.replace(/[\s-]+/g, "");
}
