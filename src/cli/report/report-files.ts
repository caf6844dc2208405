/** The files of a bug report. */
import { join } from "node:path";
import { homeDirectory } from "../../cluster/files/account.ts";
import type { Layout } from "../../cluster/files/layout.ts";
import { readSettings, type Settings } from "../../cluster/settings/settings.ts";
import { messageOf } from "../../core/errors.ts";
import { namesIn, readIfThere } from "../../linux/if-there.ts";
import { findings } from "../doctor/findings.ts";
import { runningStatus, tailOf } from "../options/running-status.ts";
import { versions } from "../options/versions.ts";
import { withoutSecrets } from "./without-secrets.ts";

export interface ReportFile {
	name: string;
	text: string;
}

const logBytes = 1024 * 1024;

/** Without secrets. What cannot be found out is a sentence that says why. */
export async function reportFiles(layout: Layout): Promise<ReportFile[]> {
	const secrets = ownSecrets(layout);
	const json = async (of: () => unknown): Promise<string> => {
		try {
			return `${JSON.stringify(await of(), null, 2)}\n`;
		} catch (error) {
			return `${messageOf(error)}\n`;
		}
	};
	const files: ReportFile[] = [
		{ name: "versions.json", text: await json(() => versions(layout)) },
		{ name: "doctor.json", text: await json(() => findings(layout)) },
		{ name: "status.json", text: await json(() => runningStatus(layout)) },
		{ name: "settings.json", text: await json(() => shownSettings(readSettings(layout.settings))) },
		...logs(layout),
	];
	return files.map(({ name, text }) => ({ name, text: withoutSecrets(text, secrets, homeDirectory()) }));
}

function logs(layout: Layout): ReportFile[] {
	const names = namesIn(join(layout.data, "nodes"));
	const all = [
		{ name: "server.log", file: layout.log },
		...names.map((name) => ({ name: `nodes/${name}/agent.log`, file: layout.node(name).log })),
	];
	return all.flatMap(({ name, file }) => {
		try {
			return [{ name, text: tailOf(file, logBytes) }];
		} catch {
			// Simulated nodes have none.
			return [];
		}
	});
}

/** The settings whose values contain nothing secret; others are only named. */
const shown: ReadonlySet<string> = new Set<keyof Settings>([
	"runtime",
	"clock",
	"virtualTime",
	"port",
	"clusterCidr",
	"serviceCidr",
	"kubelet",
	"showHome",
	"publish",
	"ingressPorts",
	"images",
	"imageStore",
	"admissionPlugins",
	"history",
	"nodes",
]);

function shownSettings(settings: Settings | undefined): object | null {
	if (settings === undefined) return null;
	return Object.fromEntries(
		Object.entries(settings).map(([name, value]) => [name, shown.has(name) ? value : "(set; not in this report)"]),
	);
}

/** The cluster's own keys and tokens, line by line, because logs may break them. */
function ownSecrets(layout: Layout): string[] {
	const files = namesIn(layout.pki).filter((name) => !name.endsWith(".crt"));
	const texts = [...files.map((name) => join(layout.pki, name)), join(layout.data, "holder.key")].map(readIfThere);
	const lines = texts.flatMap((text) => (text ?? "").split(/[\s"',:]+/));
	return [...lines.filter((line) => !line.includes("-----")), ...encryptionSecrets(layout)];
}

/** Of an EncryptionConfiguration of the user. */
function encryptionSecrets({ settings }: Layout): string[] {
	const file = readSettings(settings)?.encryption?.file;
	const text = file === undefined ? undefined : readIfThere(file);
	return [...(text ?? "").matchAll(/secret["']?\s*:\s*["']?([^\s"',}]+)/g)].map(([, secret = ""]) => secret);
}
