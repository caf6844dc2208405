/** Why an object is not as it should be: the same findings and sentences as `cox why`. */
import { type Explained, explain, isHarmless } from "../../../why/explain.ts";
import type { Finding } from "../../../why/findings/finding.ts";
import { phraseOf } from "../../../why/text/sentences.ts";
import { language } from "../state/settings.ts";
import { words } from "../text/words.ts";
import { evidenceOf } from "./evidence.ts";
import { LastLines } from "./logs.tsx";
import { TypedLink } from "./object-link.tsx";

export function Why({ type, namespace, name }: { type: Explained; namespace: string; name: string }) {
	const findings = explain(type, name, evidenceOf(namespace)) ?? [];
	const shown = new Set<string>();
	return (
		<section class="why" aria-label={words().why}>
			{findings.map((finding, index) => (
				<Found
					key={`${finding.code}/${finding.about.name}/${index}`}
					finding={finding}
					namespace={namespace}
					isCause={`${finding.about.type}/${finding.about.name}` !== `${type}/${name}`}
					commands={finding.commands.filter((command) => !shown.has(command) && shown.add(command))}
				/>
			))}
		</section>
	);
}

interface FoundProps {
	finding: Finding;
	namespace: string;
	/** It is about another object, which this one waits for. */
	isCause: boolean;
	commands: readonly string[];
}

function Found({ finding, namespace, isCause, commands }: FoundProps) {
	const { says, helps } = phraseOf(finding, language.value);
	const { type, name } = finding.about;
	return (
		<div class={`finding${isHarmless(finding) ? "" : " problem"}`}>
			<p>
				{isCause && <TypedLink type={type} of={{ namespace, name }} />} {says}
			</p>
			{helps !== undefined && <p class="helps">→ {helps}</p>}
			{finding.log !== undefined && <LastLines namespace={namespace} log={finding.log} />}
			{commands.map((command) => (
				<code class="command" key={command}>
					{command}
				</code>
			))}
		</div>
	);
}
