/** The protocol of the server process and the process that pulls images: messages over Node's IPC. */
import type { CollectionRules } from "../../images/store/prune.ts";
import type { PullResult, PullWish } from "../../runtime/process/images/image-service.ts";

export interface PullerSettings {
	/** Directory of the store. */
	store: string;
	/** Need not exist. */
	registriesFile: string;
	dockerDirectory: string;
	/** Of unused images, which are deleted after pulls and now and then. */
	collection: CollectionRules;
}

export type PullOrder =
	| { type: "pull"; id: number; wish: PullWish }
	/** Nobody wants the image any more; the pull is answered all the same. */
	| { type: "cancel"; id: number }
	/** Deletes unused images: by the rules, or all of them. */
	| { type: "collect"; id: number; all: boolean };

export interface PullAnswer {
	id: number;
	result: PullResult;
}
