/**
 * Commands and configurations in the documentation. Every ```bash block is run, page by page from top to bottom in one
 * shell, against simulated nodes; every ```yaml block is parsed by the part that reads it.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parse } from "yaml";
import { auditPolicy } from "../../src/api/audit/policy.ts";
import { jwtAuthenticators } from "../../src/api/credentials/oidc/configuration.ts";
import { ensureCertificates } from "../../src/cluster/pki/certificates.ts";
import { describedCluster } from "../../src/cluster/settings/cluster-file.ts";
import type { KubeObject } from "../../src/core/object.ts";
import { systemClock } from "../../src/core/time/clock.ts";
import { parseRegistries } from "../../src/images/registry/registries-file.ts";
import { apiServices } from "../../src/kinds/apiregistration/apiservice.ts";
import type { Kind } from "../../src/kinds/engine/kind.ts";
import { ingresses } from "../../src/kinds/networking/ingress.ts";
import { ingressClasses } from "../../src/kinds/networking/ingressclass.ts";
import { networkPolicies } from "../../src/kinds/networking/networkpolicy.ts";
import { notificationPolicies } from "../../src/kinds/notify/notificationpolicy.ts";
import { decode } from "../../src/kinds/schema.ts";
import { createImageTable } from "../../src/runtime/process/images/images.ts";

const root = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "cox-docs-"));
const { authority } = ensureCertificates(
	join(folder, "pki"),
	{ dnsNames: ["dex.example.com"], addresses: [] },
	systemClock().now(),
);

/** Files that a page's commands need. */
writeFileSync(join(folder, "dex-ca.pem"), authority.ca);
writeFileSync(join(folder, "proxy-ca.pem"), authority.ca);
writeFileSync(
	join(folder, "enc.yaml"),
	JSON.stringify({
		apiVersion: "apiserver.config.k8s.io/v1",
		kind: "EncryptionConfiguration",
		resources: [{ resources: ["secrets"], providers: [{ identity: {} }] }],
	}),
);
symlinkSync(join(root, "examples"), join(folder, "examples"));

/** Bounds a page that hangs; its commands have their own timeouts. */
const longestMs = 300_000;

/** Blocks that are not run here, by their page and the text they begin with, and why. */
const elsewhere: readonly { page: string; begins: string; why: string }[] = [
	{ page: "README.md", begins: "npm start", why: "is this gate, and what installs everything" },
	{ page: "README.md", begins: "npm install", why: "installs from a registry" },
	{ page: "CONTRIBUTING.md", begins: "npm test", why: "is this gate" },
	{ page: "docs/conformance.md", begins: "cox up", why: "needs upstream's test program" },
	{
		page: "docs/metrics.md",
		begins: "kubectl get --raw /api/v1/namespaces/kube-system/services",
		why: "the Service is there with real nodes only",
	},
	{
		page: "docs/admission.md",
		begins: "kubectl create namespace hooks",
		why: "test/e2e/admission.test.ts runs it with real nodes",
	},
	{
		page: "docs/network.md",
		begins: "curl --proxy",
		why: "test/e2e/published-ports.test.ts runs a tunnel with real nodes",
	},
	{ page: "docs/access.md", begins: "jq ", why: "needs jq and an audit log with a refusal in it" },
	{
		page: "examples/monitoring/README.md",
		begins: "kubectl apply",
		why: "`npm run monitoring` runs it with Prometheus",
	},
	...["daemonsets", "jobs", "leader-follower"].map((name) => ({
		page: `examples/${name}/README.md`,
		// Every block.
		begins: "",
		why: "test/e2e/examples.test.ts runs it with real programs",
	})),
	{ page: "examples/mysql/README.md", begins: "kubectl apply", why: "test/e2e/mysql.test.ts runs it with a database" },
];

interface Block {
	page: string;
	language: string;
	text: string;
}

const pages = [
	"README.md",
	"CONTRIBUTING.md",
	"ARCHITECTURE.md",
	...readdirSync(join(root, "docs")).map((name) => `docs/${name}`),
	...readdirSync(join(root, "examples")).map((name) => `examples/${name}/README.md`),
].filter((page) => page.endsWith(".md"));
const blocks = pages.flatMap(blocksOf);

function blocksOf(page: string): Block[] {
	let text: string;
	try {
		text = readFileSync(join(root, page), "utf8");
	} catch {
		return [];
	}
	return [...text.matchAll(/^```(\w*)[^\n]*\n([\s\S]*?)^```$/gm)].map(([, language = "", code = ""]) => ({
		page,
		language,
		text: code,
	}));
}

/**
 * `cox up` in the documentation starts real nodes unless it says otherwise; here they are simulated. Options take effect
 * at a start.
 */
const prelude = `
set -eu
program() { node ${root}/bin/cox.js "$@"; }
cox() {
	case "$*" in up*) program down > /dev/null ;; esac
	case "$*" in
		up*--runtime*) program "$@" ;;
		up*) program "$@" --runtime simulated ;;
		*) program "$@" ;;
	esac
}
npx() { shift; cox "$@"; }
kubectl() {
	case " $* " in
		*" -w "*) timeout 2 kubectl "$@" || [ $? = 124 ] ;;
		*) command kubectl "$@" ;;
	esac
}
trap 'for job in $(jobs -p); do kill "$job" 2> /dev/null || true; done' EXIT
`;

afterAll(async () => {
	await execute("node", [join(root, "bin/cox.js"), "reset"], "");
	await rm(folder, { recursive: true, force: true });
});

function execute(command: string, args: readonly string[], input: string): Promise<{ code: number; output: string }> {
	// Readers have the kubeconfig that the page tells them to use.
	const env = { ...process.env, HOME: folder, COX_DATA: "", KUBECONFIG: join(folder, "none") };
	return new Promise((resolve) => {
		const child = execFile(command, args, { cwd: folder, env, timeout: longestMs }, (error, stdout, stderr) =>
			resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr }),
		);
		child.stdin?.end(input);
	});
}

test("every block is in a language that a test runs or reads", () => {
	const languages = new Set(blocks.map(({ page, language }) => `${page} ${language}`));
	const others = [...languages].filter((name) => !/ (bash|ts|yaml|)$/.test(name));
	expect(others).toEqual([]);
	for (const { page, begins } of elsewhere)
		expect(blocks.some((block) => block.page === page && block.text.startsWith(begins))).toBe(true);
});

test("a command that goes on until Ctrl-C is the last of its block, or in the background", () => {
	const before = blocks
		.filter(({ language }) => language === "bash")
		.flatMap(({ page, text }) =>
			text
				.trimEnd()
				.split("\n")
				.slice(0, -1)
				.map((line) => `${page}: ${line}`),
		)
		.map((line) => line.replace(/#.*/, "").trimEnd());
	expect(before.filter((line) => / (-w|--watch|port-forward .*|logs .*-f)$/.test(line))).toEqual([]);
});

for (const page of new Set(blocks.map((block) => block.page))) {
	const commands = blocks
		.filter((block) => block.page === page && block.language === "bash")
		.filter(({ text }) => !elsewhere.some((other) => other.page === page && text.startsWith(other.begins)));
	if (commands.length === 0) continue;
	test(`the commands of ${page} run`, { timeout: longestMs + 10_000 }, async () => {
		// Pages that do not start with it assume a running cluster.
		const before = /^(npx coxswain|cox) up/.test(commands[0]?.text ?? "")
			? ""
			: "cox up\nexport KUBECONFIG=$(cox kubeconfig)\n";
		const script = commands
			.map(({ text }) => text)
			.join("\n")
			.replace(/^(kubectl .*?) +# (refused|no)\b.*$/gm, "if $1 2> /dev/null; then exit 1; fi");
		const { code, output } = await execute("bash", ["-s"], `${prelude}${before}${script}\nwait\ncox reset\n`);
		expect(output).not.toMatch(/^(error|Error)/m);
		expect({ code, output: code === 0 ? "" : output }).toEqual({ code: 0, output: "" });
	});
}

const validated = Object.fromEntries(
	// Decoded objects are of their kind.
	[apiServices, ingresses, ingressClasses, networkPolicies, notificationPolicies].map((kind) => [
		kind.kind,
		kind as unknown as Kind,
	]),
);

for (const { page, text } of blocks.filter(({ language }) => language === "yaml")) {
	test(`the configuration in ${page} that begins ${JSON.stringify(text.slice(0, 50))} is read`, () => {
		const value = parse(text);
		if (value.kind === "Policy") auditPolicy(value);
		else if (value.kind === "Cluster") expect(describedCluster(value).nodes).not.toEqual([]);
		else if (value.kind === "AuthenticationConfiguration") {
			for (const { issuer } of value.jwt) issuer.certificateAuthority = authority.ca;
			expect(jwtAuthenticators(value)).toHaveLength(1);
		} else if (validated[value.kind] !== undefined) {
			const { object, problems, unknownFields } = decode(value, value.kind);
			validated[value.kind]?.setDefaults?.(object as KubeObject);
			expect([...problems, ...unknownFields]).toEqual([]);
			expect(validated[value.kind]?.validate?.(object as KubeObject)).toEqual([]);
		} else if (value.mirrors !== undefined) {
			expect(parseRegistries(text).mirrors.size).toBeGreaterThan(0);
		} else {
			const userFile = join(folder, "images.yaml");
			writeFileSync(userFile, text);
			const [image = ""] = Object.keys(value);
			expect(createImageTable({ userFile, assets: "" }).find(image)).toMatchObject(value[image]);
		}
	});
}
