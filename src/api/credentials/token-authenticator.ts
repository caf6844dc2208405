/** Authenticates bearer tokens: the common interface of all token authenticators. */
import type { User } from "../../core/exchange.ts";
import type { Tokens } from "./tokens.ts";

export interface Authenticated {
	user: User;
	/** Those of the requested audiences that the token has. */
	audiences: readonly string[];
}

/** Authenticates tokens of one type. */
export interface TokenAuthenticator {
	/**
	 * Undefined for a token of another type.
	 * @param audiences the token must be for one of these
	 * @throws TokenRefused, or rejects with it, for an invalid token of its type
	 */
	authenticate(
		token: string,
		audiences: readonly string[],
	): Authenticated | undefined | Promise<Authenticated | undefined>;
}

/** A token of an authenticator's type is invalid; the message is for a TokenReview. */
export class TokenRefused extends Error {}

/**
 * Tries one after the other. Rejects with TokenRefused, with upstream's message for a TokenReview, if no authenticator
 * accepts the token.
 */
export async function authenticateToken(
	{ authenticators }: { authenticators: readonly TokenAuthenticator[] },
	token: string,
	audiences: readonly string[],
): Promise<Authenticated> {
	let reasons: string[] | undefined;
	for (const authenticator of authenticators) {
		try {
			const answer = authenticator.authenticate(token, audiences);
			// Most are synchronous: awaiting would cost every request a turn of the event loop.
			const found = answer instanceof Promise ? await answer : answer;
			if (found !== undefined) return found;
		} catch (error) {
			if (!(error instanceof TokenRefused)) throw error;
			reasons ??= [];
			reasons.push(error.message);
		}
	}
	if (reasons === undefined) throw new TokenRefused("invalid bearer token");
	throw new TokenRefused(`[${["invalid bearer token", ...reasons].join(", ")}]`);
}

/** For tokens without audience, which are for the API server. @returns undefined if that was not requested */
export function forApiServer(
	{ tokens }: { tokens: Pick<Tokens, "audiences"> },
	user: User,
	audiences: readonly string[],
): Authenticated | undefined {
	const both =
		audiences === tokens.audiences ? audiences : audiences.filter((audience) => tokens.audiences.includes(audience));
	return both.length === 0 ? undefined : { user, audiences: both };
}
