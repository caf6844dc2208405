/** The user's settings for how much history is kept; absent ones have defaults. */
export interface HistoryOptions {
	/** Runs of one CronJob, or of Jobs with one name. Default 200. */
	runs?: number;
	/** Days that a run is kept after its start. Default 30. */
	days?: number;
	/** Size of all logs together, compressed, in MiB. Default 64. */
	logMegabytes?: number;
	/** Runs of the whole cluster, because names of Jobs are often generated. Default 10,000. */
	allRuns?: number;
}

export interface HistorySettings {
	/** Runs of one CronJob, or of Jobs with one name. */
	runs: number;
	/** How long a run is kept after its start, in milliseconds. */
	ageMs: number;
	/** Size of all logs together, compressed. */
	logBytes: number;
	/** Runs of the whole cluster. */
	allRuns: number;
}

const dayMs = 86_400_000;
const megabyte = 1024 * 1024;

export function historySettings({ runs = 200, days = 30, logMegabytes = 64, allRuns = 10_000 }: HistoryOptions = {}) {
	return { runs, ageMs: days * dayMs, logBytes: logMegabytes * megabyte, allRuns } satisfies HistorySettings;
}
