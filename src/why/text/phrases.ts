/** The sentences of findings in one language. */
import type { Code, FindingParams } from "../findings/finding.ts";

export interface Phrase {
	/** What is the case, in one or two sentences. */
	says: string;
	/** What usually helps, if anything does. */
	helps?: string;
}

export type Phrases = { readonly [C in Code]: (params: FindingParams[C]) => Phrase };
