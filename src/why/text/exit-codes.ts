/** Exit codes with a meaning of their own: those of POSIX shells. */

export type ExitMeaning =
	| { signal: string; kind?: undefined }
	| { kind: "notExecutable" | "notFound"; signal?: undefined };

/** By number, for those that end programs; the numbers are the same on all architectures of Linux. */
const signals: Readonly<Record<number, string>> = {
	1: "SIGHUP",
	2: "SIGINT",
	3: "SIGQUIT",
	4: "SIGILL",
	6: "SIGABRT",
	8: "SIGFPE",
	9: "SIGKILL",
	11: "SIGSEGV",
	13: "SIGPIPE",
	15: "SIGTERM",
};

/** Undefined: the program chose the code itself. */
export function exitMeaning(exitCode: number): ExitMeaning | undefined {
	if (exitCode === 126) return { kind: "notExecutable" };
	if (exitCode === 127) return { kind: "notFound" };
	const signal = signals[exitCode - 128];
	return signal === undefined ? undefined : { signal };
}
