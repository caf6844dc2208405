/** What the API server asks those who keep the logs of ended containers (history/). */
import type { EndedLog } from "../../core/ended-log.ts";

/** Which log of a run. */
export interface KeptLogName {
	namespace: string;
	/** Name of the Run. */
	run: string;
	podUid: string;
	container: string;
	attempt: number;
}

export interface KeptLogs {
	/**
	 * Takes logs. Resolves when they are as safe as any write.
	 * @param node the node whose agent brings them: those of other nodes' pods are refused
	 * @returns for each whether it need not be brought again: it is kept, or will never be
	 */
	receive(logs: readonly EndedLog[], node: string | undefined): Promise<boolean[]>;
	/** The log in the CRI's format; undefined when it is not kept. */
	read(name: KeptLogName): Promise<Buffer | undefined>;
}
