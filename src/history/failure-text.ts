import type { Run } from "../kinds/history/types.ts";

/** The Event of a run that failed. */
export function failureText({ spec, status }: Run): { type: "Warning"; reason: string; message: string } {
	const { reason = "Failed", message = "" } = status;
	const failed = (status.pods ?? [])
		.flatMap(({ name, containers = [] }) => containers.map((container) => ({ pod: name, ...container })))
		.findLast(({ attempts }) => (attempts?.at(-1)?.exitCode ?? 0) !== 0);
	const last =
		failed === undefined
			? ""
			: `; container ${failed.name} of pod ${failed.pod} ended with exit code ${failed.attempts?.at(-1)?.exitCode}`;
	return { type: "Warning", reason, message: `Job ${spec.jobName} failed: ${message}${last}` };
}
