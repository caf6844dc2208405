import { isTrue } from "../../core/conditions.ts";
import type { Job } from "../generated/types.ts";

/** The Job has succeeded or failed for good, and nothing more is done for it. */
export function isJobFinished(job: Pick<Job, "status">): boolean {
	return isTrue(job, "Complete") || isTrue(job, "Failed");
}
