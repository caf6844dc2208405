/** The protocol of the server process and the process that pulls images: messages over Node's IPC. */
import type { PullFunction, PullResult } from "../../runtime/process/images/image-service.ts";

export interface PullerSettings {
	/** Directory of the store. */
	store: string;
	/** Need not exist. */
	registriesFile: string;
	dockerDirectory: string;
	/** Unused images are deleted after pulls, see `pruneFullDisk`. */
	fullDisk: { high: number; low: number };
}

export type PullWish = Parameters<PullFunction>[0];

export interface PullOrder extends PullWish {
	id: number;
}

export interface PullAnswer {
	id: number;
	result: PullResult;
}
