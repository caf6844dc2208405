import { type Command, Option } from "commander";
import { type Connection, connect } from "../../cluster/control/connect.ts";
import { control } from "../../cluster/control/control-client.ts";
import { ApiError } from "../../core/errors.ts";
import { allProblems, type Explained, explain, problems } from "../../why/explain.ts";
import type { Evidence } from "../../why/findings/evidence.ts";
import type { Finding, LogRef } from "../../why/findings/finding.ts";
import { gather, gatherAll } from "../../why/gather.ts";
import { phraseOf } from "../../why/text/sentences.ts";
import { clusterCommand, layoutFrom } from "../options/data-option.ts";
import { say, sayJson } from "../options/output.ts";
import { explanationText } from "../why/explanation-text.ts";
import { objectNamed } from "../why/object-name.ts";

interface WhyOptions {
	data?: string;
	namespace: string;
	allNamespaces?: true;
	language: string;
	json?: true;
}

interface Explanation {
	namespace: string;
	type: Explained;
	name: string;
	findings: readonly Finding[];
}

const logLines = 5;
const widest = 110;

export function whyCommand(): Command {
	return clusterCommand("why", "explain why a pod or workload is not (yet) as it should be")
		.argument(
			"[type/name]",
			"pod, statefulset, deployment, daemonset, job, cronjob, pvc, node … (default: all problems)",
		)
		.option("-n, --namespace <namespace>", "the namespace", "default")
		.option("-A, --all-namespaces", "explain the problems of all namespaces")
		.addOption(new Option("--language <language>", "of the sentences").choices(["en", "de"]).default("en"))
		.option("--json", "print JSON")
		.action(async (what: string | undefined, options: WhyOptions) => {
			const layout = layoutFrom(options);
			const { namespace, language } = options;
			const { clock } = await control(layout, "status");
			await using connection = await connect(layout, "cox");
			const nowMs = clock.nowMs;
			const found = options.allNamespaces
				? problemsOfAll(what, await gatherAll(connection.client, nowMs))
				: explained(what, await gather(connection.client, namespace, nowMs));
			if (options.json) return sayJson(found.map((one) => asJson(one, language)));
			if (found.length === 0)
				return say(options.allNamespaces ? "no problems" : `no problems in namespace ${namespace}`);
			const texts: string[] = [];
			let space: string | undefined;
			for (const { namespace: of, type, name, findings } of found) {
				if (options.allNamespaces && of !== space) texts.push(`Namespace ${of}:`);
				space = of;
				const logs = await logsOf(connection, of, findings);
				const width = Math.min(process.stdout.columns ?? widest, widest);
				texts.push(explanationText(`${type}/${name}`, findings, logs, { language, width }));
			}
			say(texts.join("\n\n"));
		});
}

function explained(what: string | undefined, evidence: Evidence): Explanation[] {
	const { namespace } = evidence;
	if (what === undefined) return problems(evidence).map((problem) => ({ namespace, ...problem }));
	const { type, name } = objectNamed(what, evidence);
	return [{ namespace, type, name, findings: explain(type, name, evidence) ?? [] }];
}

function problemsOfAll(what: string | undefined, all: readonly Evidence[]): Explanation[] {
	if (what !== undefined) throw new Error("-A explains all problems; name an object with -n NAMESPACE");
	return allProblems(all);
}

function asJson({ namespace, type, name, findings }: Explanation, language: string): object {
	return { namespace, type, name, findings: findings.map((one) => ({ ...one, ...phraseOf(one, language) })) };
}

/** The last lines of each log; a log that cannot be read is left out. */
async function logsOf(connection: Connection, namespace: string, findings: readonly Finding[]) {
	const logs = new Map<LogRef, readonly string[]>();
	for (const { log } of findings) {
		if (log === undefined) continue;
		const path = `/api/v1/namespaces/${namespace}/pods/${log.pod}/log`;
		const query = new URLSearchParams({
			container: log.container,
			previous: String(log.previous),
			tailLines: String(logLines),
		});
		const chunks: Uint8Array[] = [];
		try {
			await connection.stream(path, query, (chunk) => chunks.push(chunk));
		} catch (error) {
			if (!(error instanceof ApiError)) throw error;
			continue;
		}
		const text = Buffer.concat(chunks).toString().trimEnd();
		if (text !== "") logs.set(log, text.split("\n"));
	}
	return logs;
}
