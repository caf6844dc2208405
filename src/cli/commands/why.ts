import { type Command, Option } from "commander";
import { type Connection, connect } from "../../cluster/control/connect.ts";
import { control } from "../../cluster/control/control-client.ts";
import { ApiError } from "../../core/errors.ts";
import { type Explained, explain, problems } from "../../why/explain.ts";
import type { Finding, LogRef } from "../../why/findings/finding.ts";
import { gather } from "../../why/gather.ts";
import { phraseOf } from "../../why/text/sentences.ts";
import { clusterCommand, layoutFrom } from "../options/data-option.ts";
import { say } from "../options/output.ts";
import { explanationText } from "../why/explanation-text.ts";
import { objectNamed } from "../why/object-name.ts";

interface WhyOptions {
	data?: string;
	namespace: string;
	language: string;
	json?: true;
}

interface Explanation {
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
		.addOption(new Option("--language <language>", "of the sentences").choices(["en", "de"]).default("en"))
		.option("--json", "print JSON")
		.action(async (what: string | undefined, options: WhyOptions) => {
			const layout = layoutFrom(options);
			const { namespace, language } = options;
			const { clock } = await control(layout, "status");
			await using connection = await connect(layout, "cox");
			const nowMs = clock.nowMs;
			const evidence = await gather(connection.client, namespace, nowMs);
			const wanted = what === undefined ? undefined : objectNamed(what, evidence);
			const found: Explanation[] =
				wanted === undefined
					? problems(evidence)
					: [{ ...wanted, findings: explain(wanted.type, wanted.name, evidence) ?? [] }];
			if (options.json)
				return say(
					JSON.stringify(
						found.map((one) => asJson(one, language)),
						null,
						2,
					),
				);
			if (found.length === 0) return say(`no problems in namespace ${namespace}`);
			const texts: string[] = [];
			for (const { type, name, findings } of found) {
				const logs = await logsOf(connection, namespace, findings);
				const width = Math.min(process.stdout.columns ?? widest, widest);
				texts.push(explanationText(`${type}/${name}`, findings, logs, { language, width }));
			}
			say(texts.join("\n\n"));
		});
}

function asJson({ type, name, findings }: Explanation, language: string): object {
	return { type, name, findings: findings.map((one) => ({ ...one, ...phraseOf(one, language) })) };
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
