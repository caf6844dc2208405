/** The list of those who decide what is allowed, in the order in which they are asked. */
import { type Authorizer, union } from "./authorizer.ts";
import { knownMay } from "./known-may.ts";
import { masters } from "./masters.ts";

export function createAuthorizer(): Authorizer {
	return union([masters, knownMay]);
}
