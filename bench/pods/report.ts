/** A line of the benchmark's answer. */
export function report(what: string, figure: string, note = ""): void {
	console.log(`${what.padEnd(72)} ${figure.padStart(10)}  ${note}`);
}
