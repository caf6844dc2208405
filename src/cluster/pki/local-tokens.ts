import { createHash, randomBytes } from "node:crypto";
import type { User } from "../../core/exchange.ts";

/**
 * Bearer tokens of programs of this machine that the server starts itself, and hands each its own. They are kept
 * nowhere else, and hold until they are taken back or the server ends; the next server starts its programs again.
 */
export class LocalTokens {
	/** By the tokens' digests, so that how long a look takes says nothing about the tokens. */
	readonly #users = new Map<string, User>();

	/** A new token for the user. */
	grant(user: User): string {
		const token = randomBytes(32).toString("hex");
		this.#users.set(digest(token), user);
		return token;
	}

	revoke(tokens: Iterable<string>): void {
		for (const token of tokens) this.#users.delete(digest(token));
	}

	readonly userOf = (token: string): User | undefined => this.#users.get(digest(token));
}

function digest(token: string): string {
	return createHash("sha256").update(token).digest("base64");
}
