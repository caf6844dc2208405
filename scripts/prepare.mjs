/**
 * Sets up a fresh machine for `npm start` and `npm test`: npm packages, the build, and the few Debian packages that the
 * cluster stands on. Plain JavaScript without dependencies, because it runs before anything is installed.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const cache = join(root, ".cache");

/** What a real node needs from the system. */
export const nodePrograms = [
	{ command: "unshare", package: "util-linux", why: "namespaces for nodes and pods" },
	{ command: "ip", package: "iproute2", why: "addresses and routes of nodes and pods" },
	{ command: "nft", package: "nftables", why: "service addresses" },
	{ command: "busybox", package: "busybox", why: "the shell of busybox containers", optional: true },
];

/**
 * What the end-to-end tests use besides. Debian's packages of services start them: these are not installed on a machine
 * with a service manager, unless it is one of continuous integration, and the tests that need them are left out there.
 */
export const testPrograms = [
	...nodePrograms,
	{ command: "openssl", package: "openssl", why: "docs/admission.md makes the certificate of a webhook" },
	{ command: "chromium", package: "chromium", why: "the tests of the dashboard use it in a browser" },
	{ command: "mariadbd", package: "mariadb-server-core", why: "the MySQL lab runs a real database" },
	{ command: "mariadb-dump", package: "mariadb-client", why: "the MySQL lab queries and dumps it" },
	{
		command: "/usr/lib/python3/dist-packages/kubernetes",
		package: "python3-kubernetes",
		why: "the tests of other people's clients",
		optional: true,
	},
	{
		command: "docker-registry",
		package: "docker-registry",
		why: "the tests of images pull from a registry",
		isService: true,
	},
	{ command: "containerd", package: "containerd", why: "the tests of the runtime containerd", isService: true },
	{ command: "runc", package: "runc", why: "which starts its containers", isService: true },
	{ command: "redis-server", package: "redis-server", why: "an example's work queue", isService: true },
	{ command: "rsyslogd", package: "rsyslog", why: "an example ships logs", isService: true },
	{ command: "rsyslog/omrelp.so", package: "rsyslog-relp", why: "and loses none", isService: true },
	{
		command: "prometheus-node-exporter",
		package: "prometheus-node-exporter",
		why: "an example has the figures of each node",
		isService: true,
	},
];

/** @param {string} text */
export function say(text) {
	console.log(`· ${text}`);
}

/** Ends the process with a helpful message. @param {string} text @returns {never} */
export function fail(text) {
	console.error(`\n✗ ${text}`);
	process.exit(1);
}

/**
 * Waits for all parts of the set-up, which run side by side, before one that failed ends the process.
 * @param {Promise<unknown>[]} parts
 */
export async function setUp(...parts) {
	const ended = await Promise.allSettled(parts);
	for (const part of ended) if (part.status === "rejected") fail(part.reason.message);
	return await Promise.all(parts);
}

/**
 * Whether the program succeeded.
 * @param {string} command @param {string[]} args @param {import("node:child_process").SpawnOptions} options
 */
async function run(command, args, options = {}) {
	const child = spawn(command, args, { cwd: root, stdio: "inherit", ...options });
	const code = await once(child, "exit").then(
		([code]) => code,
		() => undefined,
	);
	return code === 0;
}

/**
 * @param {string} command a program's name, the path of what has none, or a program's module below a folder of /usr/lib
 */
function onPath(command) {
	if (command.startsWith("/")) return existsSync(command);
	const modules = existsSync("/usr/lib") ? readdirSync("/usr/lib").map((folder) => join("/usr/lib", folder)) : [];
	const folders = [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/sbin", ...modules];
	return folders.some((folder) => folder !== "" && existsSync(join(folder, command)));
}

export function requireMachine() {
	const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
	if (major < 20 || (major === 20 && minor < 19))
		fail(`Coxswain needs Node.js 20.19 or newer; this is ${process.version}. Install a current one and try again.`);
	if (process.platform !== "linux")
		fail(
			`Real nodes need Linux namespaces; this is ${process.platform}. Simulated nodes work: npm run build && npx coxswain up --runtime simulated`,
		);
}

/** The newest change of any file below the folders, epoch milliseconds. @param {string[]} paths @returns {number} */
function newest(paths) {
	let latest = 0;
	for (const path of paths) {
		if (!existsSync(path)) continue;
		const stat = statSync(path);
		if (stat.isDirectory()) latest = Math.max(latest, newest(readdirSync(path).map((name) => join(path, name))));
		else latest = Math.max(latest, stat.mtimeMs);
	}
	return latest;
}

export async function installPackages() {
	const installed = join(root, "node_modules/.package-lock.json");
	if (existsSync(installed) && newest([installed]) >= newest([join(root, "package-lock.json")])) return;
	say("installing npm packages (npm install)");
	// Not `npm ci`: it insists on the optional packages of every platform, and a registry that lacks one of them for a
	// platform nobody here uses would stop everything. The lock file still says every version, and is not changed.
	if (!(await run("npm", ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])))
		throw new Error("npm install failed; see above. Is the npm registry within reach?");
}

export async function build() {
	const stamp = join(root, "dist/.built");
	const sources = [join(root, "src"), join(root, "scripts"), join(root, "package-lock.json")];
	const generated = join(root, "src/kinds/generated/types.ts");
	if (existsSync(generated) && existsSync(stamp) && newest([stamp]) >= newest(sources)) return;
	say("generating types and schemas from the Kubernetes models, and building");
	if (!(await run("npm", ["run", "--silent", "generate"])) || !(await run("npm", ["run", "--silent", "build"])))
		throw new Error("the build failed; see above.");
	writeFileSync(stamp, "");
}

/** What needs nothing but the packages and the build. */
export async function check() {
	if (!(await run("npm", ["run", "--silent", "check"]))) throw new Error("types or lint failed; see above.");
}

/**
 * Installs missing Debian packages where that is possible, and says so. Without optional ones it goes on.
 * @param {{ command: string, package: string, why: string, optional?: boolean, isService?: boolean }[]} programs
 */
export async function installPrograms(programs) {
	const wouldStart = process.env.CI !== "true" && existsSync("/run/systemd/system");
	const absent = programs.filter((program) => !onPath(program.command));
	const missing = absent.filter((program) => program.isService !== true || !wouldStart);
	for (const program of absent.filter((other) => !missing.includes(other)))
		say(
			`not there: ${program.package} – ${program.why}; without it some tests are left out. Installing it would start a service`,
		);
	if (missing.length === 0) return;
	const isCi = process.env.CI === "true";
	const goesOn = missing.every((program) => program.optional === true || (program.isService === true && !isCi));
	const packages = [...new Set(missing.map((program) => program.package))];
	for (const program of missing)
		say(`missing: ${program.command} (Debian package ${program.package}) – ${program.why}`);
	const command = `apt-get install -y --no-install-recommends ${packages.join(" ")}`;
	if (goesOn && (process.getuid?.() !== 0 || !onPath("apt-get"))) return;
	if (process.getuid?.() !== 0 || !onPath("apt-get"))
		throw new Error(`Please install what is missing, then try again: sudo ${command}`);
	say(`installing with ${command}`);
	const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
	const quiet = { env, stdio: ["ignore", "ignore", "inherit"] };
	const [apt = "", ...args] = command.split(" ");
	if (await run(apt, args, quiet)) return;
	await run("apt-get", ["update", "-qq"], quiet);
	if (!(await run(apt, args, quiet)) && !goesOn)
		throw new Error(`apt-get could not install ${packages.join(", ")}. Install them by hand and try again.`);
}

/**
 * Puts kubectl 1.20 (Debian bookworm) and a current one (Debian unstable) into .cache/kubectl without touching the
 * system: single .deb files, unpacked. Debian unstable is never made a source of this machine's packages: its list
 * is in a separate folder.
 */
export async function fetchKubectls() {
	const folder = join(cache, "kubectl");
	await Promise.all([
		fetchKubectl(join(folder, "old"), "bookworm", "kubernetes-client"),
		fetchKubectl(join(folder, "current"), "unstable", "kubectl"),
	]);
}

/** @param {string} target @param {string} suite @param {string} name */
async function fetchKubectl(target, suite, name) {
	const binary = join(target, "kubectl");
	if (existsSync(binary)) return;
	if (!(await fetchPrograms(target, suite, [{ package: name, path: "usr/bin/kubectl", as: "kubectl" }])))
		say(`the tests go without the kubectl of Debian ${suite}`);
}

/**
 * Puts Prometheus and Alertmanager of Debian unstable into .cache/monitoring, in the same way: Debian 12's Prometheus
 * does not know Kubernetes. Returns whether they are there.
 */
export async function fetchMonitoring() {
	const folder = join(cache, "monitoring");
	if (["prometheus", "alertmanager", "templates"].every((name) => existsSync(join(folder, name)))) return true;
	return fetchPrograms(folder, "unstable", [
		{ package: "prometheus", path: "usr/bin/prometheus", as: "prometheus" },
		{ package: "prometheus-alertmanager", path: "usr/bin/prometheus-alertmanager", as: "alertmanager" },
		{ package: "prometheus-alertmanager", path: "usr/share/prometheus/alertmanager", as: "templates" },
	]);
}

/**
 * @param {string} target folder for the programs
 * @param {string} suite of Debian
 * @param {{ package: string, path: string, as: string }[]} programs where each is in its package, and what it is called
 *   afterwards
 */
async function fetchPrograms(target, suite, programs) {
	const names = [...new Set(programs.map((program) => program.package))];
	const mirror = debianMirror();
	if (mirror === undefined || !onPath("apt-get") || !onPath("dpkg-deb")) {
		say(`no Debian packages within reach: ${names.join(", ")} of Debian ${suite} cannot be had`);
		return false;
	}
	say(`fetching ${names.join(", ")} from Debian ${suite}, unpacked into .cache`);
	const work = join(cache, `apt-${suite}`);
	rmSync(work, { recursive: true, force: true });
	for (const part of ["state/lists/partial", "cache/archives/partial", "tree"])
		mkdirSync(join(work, part), { recursive: true });
	writeFileSync(join(work, "status"), "");
	writeFileSync(
		join(work, "sources.list"),
		`deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror} ${suite} main\n`,
	);
	const settings = {
		"Dir::Etc::sourcelist": join(work, "sources.list"),
		"Dir::Etc::sourceparts": "/dev/null",
		"Dir::State": join(work, "state"),
		"Dir::State::status": join(work, "status"),
		"Dir::Cache": join(work, "cache"),
		"APT::Sandbox::User": "root",
	};
	const options = Object.entries(settings).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
	const quiet = { cwd: work, stdio: ["ignore", "ignore", "inherit"] };
	const fetched =
		(await run("apt-get", [...options, "-qq", "update"], quiet)) &&
		(await run("apt-get", [...options, "-qq", "download", ...names], quiet));
	const archives = readdirSync(work).filter((file) => file.endsWith(".deb"));
	if (!fetched || archives.length < names.length) {
		say(`could not fetch ${names.join(", ")} from Debian ${suite}`);
		return false;
	}
	for (const archive of archives) {
		if (!(await run("dpkg-deb", ["-x", join(work, archive), join(work, "tree")])))
			throw new Error(`could not unpack ${archive}`);
	}
	mkdirSync(target, { recursive: true });
	for (const { path, as } of programs) {
		rmSync(join(target, as), { recursive: true, force: true });
		renameSync(join(work, "tree", path), join(target, as));
	}
	rmSync(work, { recursive: true, force: true });
	return true;
}

/** The mirror that this machine's own apt configuration names. */
function debianMirror() {
	const files = ["/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list"];
	for (const file of files) {
		const match = existsSync(file) ? /https?:\/\/\S+\/debian(?=\s)/.exec(readFileSync(file, "utf8")) : null;
		if (match !== null) return match[0];
	}
	return undefined;
}
