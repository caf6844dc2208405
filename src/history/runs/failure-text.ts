import type { Run, RunAttempt } from "../../kinds/history/types.ts";

/** The Event for a failed run. */
export function failureText({ spec, status }: Run): { type: "Warning"; reason: string; message: string } {
	const { reason = "Failed", message = "" } = status;
	const failed = (status.pods ?? [])
		.flatMap(({ name, containers = [] }) => containers.map((container) => ({ pod: name, ...container })))
		.findLast(({ attempts }) => (attempts?.at(-1)?.exitCode ?? 0) !== 0);
	const last =
		failed === undefined
			? ""
			: `; container ${failed.name} of pod ${failed.pod} ended with ${endText(failed.attempts?.at(-1))}`;
	return { type: "Warning", reason, message: `Job ${spec.jobName} failed: ${message}${last}` };
}

/** A program that could not be started has no output that explains it. */
function endText({ exitCode, reason, message }: Partial<RunAttempt> = {}): string {
	const why = reason === "StartError" && message !== undefined ? `: ${message}` : "";
	return `exit code ${exitCode}${why}`;
}
