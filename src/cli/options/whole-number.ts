import { InvalidArgumentError } from "commander";

/**
 * A positive whole number from the command line.
 * @throws InvalidArgumentError, to which commander adds the option's name
 */
export function wholeNumber(text: string): number {
	return numberFrom(1, text);
}

/** 0 or more. */
export function count(text: string): number {
	return numberFrom(0, text);
}

function numberFrom(least: number, text: string): number {
	const value = Number(text);
	if (text.trim() === "" || !Number.isInteger(value) || value < least)
		throw new InvalidArgumentError(`It is not a whole number of ${least} or more.`);
	return value;
}
