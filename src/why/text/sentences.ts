import type { Finding } from "../findings/finding.ts";
import { german } from "./de.ts";
import { english } from "./en.ts";
import type { Phrase, Phrases } from "./phrases.ts";

const languages: Readonly<Record<string, Phrases>> = { en: english, de: german };

/**
 * The sentences of a finding.
 * @param language `en` or `de`; English for all others
 */
export function phraseOf(finding: Finding, language = "en"): Phrase {
	const phrases = languages[language] ?? english;
	// Code and parameters belong together; the compiler does not relate them through the union.
	const phrase = phrases[finding.code] as (params: Finding["params"]) => Phrase;
	const { says, helps } = phrase(finding.params);
	// Messages of others mostly end without a full stop.
	const ended = /[.!?]$/.test(says) ? says : `${says}.`;
	return { says: ended, ...(helps !== undefined && { helps }) };
}
