/** Limits concurrency. */
import { ApiError } from "../../core/errors.ts";
import type { User } from "../../core/exchange.ts";

export interface Flows {
	/**
	 * @returns to be called once, when it is done
	 * @throws ApiError TooManyRequests
	 */
	enter(user: Pick<User, "name" | "groups">): () => void;
}

const ownGroups = new Set(["system:nodes", "system:masters"]);

/**
 * Separate and equal limits for nodes and administrators, and for all others, of which one user may use half, so that
 * no user can block the rest.
 */
export function createFlows(limit: number): Flows {
	const own = new Flow(limit, limit);
	const others = new Flow(limit, Math.ceil(limit / 2));
	return {
		enter: ({ name, groups }) => (groups.some((group) => ownGroups.has(group)) ? own : others).enter(name),
	};
}

class Flow {
	readonly #limit: number;
	readonly #limitOfUser: number;
	#running = 0;
	readonly #runningOf = new Map<string, number>();

	constructor(limit: number, limitOfUser: number) {
		this.#limit = limit;
		this.#limitOfUser = limitOfUser;
	}

	enter(user: string): () => void {
		const runningOf = this.#runningOf;
		const before = runningOf.get(user) ?? 0;
		if (this.#running >= this.#limit || before >= this.#limitOfUser) throw tooManyRequests();
		this.#running++;
		runningOf.set(user, before + 1);
		return () => {
			this.#running--;
			const left = (runningOf.get(user) ?? 1) - 1;
			if (left === 0) runningOf.delete(user);
			else runningOf.set(user, left);
		};
	}
}

export function tooManyRequests(): ApiError {
	return new ApiError("TooManyRequests", "too many requests, please try again later", { retryAfterSeconds: 1 });
}
