/** What an attacker in a container does: two names of a directory change places all the time, atomically. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";

/** renameat2(2) by architecture; Node has no such call. */
const numbers: Readonly<Record<string, number>> = { x64: 316, arm64: 276 };

/** Why names cannot be exchanged here; empty where they can. */
export const exchangerMissing = ["/usr/bin/perl", "/bin/perl"].some((path) => existsSync(path))
	? ""
	: " (skipped: perl, which can exchange names, is not installed)";

/** Exchanges the two paths as fast as it can until it is ended. Resolves once it does. */
export function exchangeNames(first: string, second: string): Promise<AsyncDisposable> {
	const number = numbers[process.arch] ?? 0;
	const script = `$| = 1; my ($a, $b) = @ARGV; my $n = 0;
while (1) { syscall(${number}, -100, $a, -100, $b, 2); print "going\\n" if ++$n == 10; select(undef, undef, undef, 0.0005 * rand 4) }`;
	const child = spawn("perl", ["-e", script, first, second], { stdio: ["ignore", "pipe", "inherit"] });
	const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
	return new Promise((resolve, reject) => {
		child.once("error", reject);
		child.stdout.once("data", () =>
			resolve({
				async [Symbol.asyncDispose]() {
					child.kill("SIGKILL");
					await ended;
				},
			}),
		);
	});
}
