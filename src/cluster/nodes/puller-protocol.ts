/** The protocol of the server process and the process that pulls images: messages over Node's IPC. */
import type { PullResult, PullWish } from "../../runtime/process/images/image-service.ts";

export interface PullerSettings {
	/** Directory of the store. */
	store: string;
	/** Need not exist. */
	registriesFile: string;
	dockerDirectory: string;
	/** Unused images are deleted after pulls, see `pruneFullDisk`. */
	fullDisk: { high: number; low: number };
}

export type PullOrder =
	| { type: "pull"; id: number; wish: PullWish }
	/** Nobody wants the image any more; the pull is answered all the same. */
	| { type: "cancel"; id: number };

export interface PullAnswer {
	id: number;
	result: PullResult;
}
