/** One thing that a machine can or cannot do, and the remedy. */

/** `good`; `poor`: something works less well; `bad`: nodes with real pods do not start. */
export type Grade = "good" | "poor" | "bad";

export interface Verdict {
	grade: Grade;
	/** What was found. */
	says: string;
	/** What helps, if something does. */
	remedy?: string;
}

export interface Check {
	name: string;
	/** Never throws: what cannot be found out is a verdict, too. */
	look(): Promise<Verdict>;
}

export const good = (says: string): Verdict => ({ grade: "good", says });
export const poor = (says: string, remedy?: string): Verdict => ({ grade: "poor", says, ...(remedy && { remedy }) });
export const bad = (says: string, remedy?: string): Verdict => ({ grade: "bad", says, ...(remedy && { remedy }) });
