/** The log of a container that has ended, on its way from the node to those who keep it. */

/** Where agents send them: a path that is no resource. */
export const endedLogsPath = "/history/logs";

/** Which container it was, and how it ended. */
export interface EndedContainer {
	namespace: string;
	jobName: string;
	jobUid: string;
	podName: string;
	podUid: string;
	container: string;
	/** How often the container had been started in its pod before. */
	attempt: number;
	/** RFC 3339. */
	startedAt?: string;
	finishedAt?: string;
	exitCode?: number;
	reason?: string;
}

export interface EndedLog extends EndedContainer {
	/** Size of what is kept, in the CRI's format. */
	bytes: number;
	/** Bytes at the beginning that are not kept. */
	omittedBytes: number;
	/** gzip, or as it is where that is no shorter. */
	data: Uint8Array;
}

/**
 * A container's log takes no more than this, compressed: with its run there is room for it in one commit of any store.
 */
export const largestLogBytes = 640 * 1024;
/** What is taken off the wire, and then not kept if it is larger than that: others in the delivery are to arrive. */
const largestWireBytes = 1024 * 1024;

/** As JSON can carry them. */
export function wireLogs(logs: readonly EndedLog[]): { logs: object[] } {
	return { logs: logs.map(({ data, ...rest }) => ({ ...rest, data: Buffer.from(data).toString("base64") })) };
}

/** What `wireLogs` made. @throws Error that says what is wrong */
export function parseWireLogs(value: unknown): EndedLog[] {
	const { logs } = record(value);
	if (!Array.isArray(logs)) throw new Error("logs: wanted a list");
	return logs.map(parseLog);
}

function parseLog(value: unknown): EndedLog {
	const from = record(value);
	const text = (name: string): string => {
		const found = from[name];
		if (typeof found !== "string" || found === "" || found.length > 300 || found.includes("\0"))
			throw new Error(`${name}: wanted a text`);
		return found;
	};
	const part = (name: string): string => {
		const found = text(name);
		if (found.includes("/")) throw new Error(`${name}: wanted a name`);
		return found;
	};
	const whole = (name: string): number => {
		const found = from[name];
		if (typeof found !== "number" || !Number.isSafeInteger(found) || found < 0)
			throw new Error(`${name}: wanted a whole number`);
		return found;
	};
	const data = Buffer.from(typeof from["data"] === "string" ? from["data"] : "", "base64");
	if (data.length > largestWireBytes) throw new Error(`data: ${data.length} bytes are more than ${largestWireBytes}`);
	return {
		namespace: part("namespace"),
		jobName: part("jobName"),
		jobUid: part("jobUid"),
		podName: part("podName"),
		podUid: part("podUid"),
		container: part("container"),
		attempt: whole("attempt"),
		bytes: whole("bytes"),
		omittedBytes: whole("omittedBytes"),
		data,
		...(from["startedAt"] !== undefined && { startedAt: text("startedAt") }),
		...(from["finishedAt"] !== undefined && { finishedAt: text("finishedAt") }),
		...(from["exitCode"] !== undefined && { exitCode: whole("exitCode") }),
		...(from["reason"] !== undefined && { reason: text("reason") }),
	};
}

function record(value: unknown): Record<string, unknown> {
	if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("wanted an object");
	// Any object can be looked at by names.
	return value as Record<string, unknown>;
}
