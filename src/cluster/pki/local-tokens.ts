import { createHash, randomBytes } from "node:crypto";
import type { User } from "../../core/exchange.ts";

/**
 * Bearer tokens of programs on this machine that the server starts. They are stored nowhere else, and are valid until
 * they are revoked or the server ends; the next server starts its programs again.
 */
export class LocalTokens {
	/** By the tokens' digests, so that the duration of a lookup reveals nothing about them. */
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
