/**
 * Images without images: what a container of that name runs on this machine when the pod does not say. Tags and registries
 * do not matter unless a user's own table says so.
 */
import { createHash } from "node:crypto";
import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { yamlLibrary } from "../../core/yaml-library.ts";
import { parseImageReference } from "../reference.ts";
import { type Image, ImageError } from "../runtime.ts";

export interface ImageEntry {
	/** Names without registry and tag; `*` stands for any text. A name with `:` or a registry is compared as a whole. */
	names: readonly string[];
	entrypoint: readonly string[];
	args?: readonly string[];
	env?: Readonly<Record<string, string>>;
	/** The program that must be on the machine, and the Debian package that has it. */
	requires?: string;
	package?: string;
	/** Directories that start empty in each container, whatever the machine has there. */
	volumes?: readonly string[];
	/** Programs that containers find under absolute paths, and the stand-ins they are. */
	programs?: Readonly<Record<string, string>>;
	/** Its /bin/sh knows `[[`, as busybox's does and Debian's does not. */
	busyboxShell?: true;
	workingDir?: string;
}

const shell = { entrypoint: [], args: ["sh"] };
const nginx = { entrypoint: ["nginx", "-g", "daemon off;"], requires: "nginx", package: "nginx" };
const httpd = { entrypoint: ["httpd-foreground"], requires: "httpd-foreground", package: "apache2" };

/** The built-in table; of several entries that fit the first counts. */
export const builtinImages: readonly ImageEntry[] = [
	{ names: ["pause"], entrypoint: ["/pause"], programs: { "/pause": "pause" } },
	{ names: ["busybox", "alpine"], ...shell, busyboxShell: true },
	{ names: ["debian", "ubuntu", "centos", "fedora", "curl", "dnsutils", "toolbox"], ...shell },
	// Kubernetes' own test images.
	{
		names: ["agnhost"],
		entrypoint: ["/agnhost"],
		args: ["pause"],
		programs: { "/agnhost": "agnhost", "/agnhost-2": "agnhost" },
		busyboxShell: true,
	},
	{ names: ["nautilus"], entrypoint: ["nautilus"], requires: "nautilus" },
	{ names: ["resource-consumer"], entrypoint: ["/consumer"], programs: { "/consumer": "resource-consumer" } },
	{ names: ["nonewprivs"], entrypoint: ["nonewprivs"], requires: "nonewprivs" },
	{ names: ["jessie-dnsutils", "nonroot", "ipc-utils"], ...shell },
	{ names: ["bash"], entrypoint: [], args: ["bash"], requires: "bash" },
	// Those of Kubernetes' tests are made from alpine's.
	{ names: ["e2e-test-images/nginx"], ...nginx, busyboxShell: true },
	{ names: ["e2e-test-images/httpd"], ...httpd, busyboxShell: true },
	{ names: ["nginx", "nginx-unprivileged"], ...nginx },
	{ names: ["httpd", "apache"], ...httpd },
	{
		names: ["mysql", "mariadb", "mysql-server"],
		entrypoint: ["mysql-entrypoint"],
		args: ["mysqld"],
		requires: "mariadbd",
		package: "mariadb-server",
		volumes: ["/var/lib/mysql"],
	},
	{ names: ["redis"], entrypoint: ["redis-server"], requires: "redis-server", package: "redis-server" },
	{
		names: ["postgres", "postgresql"],
		entrypoint: ["postgres-entrypoint"],
		args: ["postgres"],
		requires: "postgres",
		package: "postgresql",
		volumes: ["/var/lib/postgresql/data"],
		env: { PGDATA: "/var/lib/postgresql/data" },
	},
	{ names: ["python"], entrypoint: [], args: ["python3"], requires: "python3", package: "python3" },
	{ names: ["node"], entrypoint: [], args: ["node"] },
	{ names: ["perl"], entrypoint: [], args: ["perl", "-de0"], requires: "perl", package: "perl" },
	{ names: ["fluentd", "fluentd-elasticsearch", "fluent-bit"], entrypoint: ["fluentd"], requires: "fluentd" },
	{ names: ["simpleservice"], entrypoint: ["simpleservice"], requires: "simpleservice" },
	{ names: ["gpu-monitor"], entrypoint: ["gpu-monitor"], requires: "gpu-monitor" },
	{ names: ["monitor", "node-exporter"], entrypoint: ["monitor"], requires: "monitor" },
	{ names: ["backup-tool"], entrypoint: ["backup-script.sh"], requires: "backup-script.sh" },
	{ names: ["image-processor"], entrypoint: ["image-processor"], requires: "image-processor" },
];

/** The search path of containers; the directory of the stand-ins comes last, so that real programs win. */
export const standInDirectory = "/usr/lib/coxswain/stand-ins/bin";
export const containerPath = `/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${standInDirectory}`;

export interface ImageTable {
	/** The entry for an image; undefined where the table has none. */
	find(image: string): ImageEntry | undefined;
	/**
	 * Programs that the image has under paths of its own: where they lie on the machine, and their paths.
	 * @param variables names in the container's environment
	 */
	programs(image: string, variables: Iterable<string>): { source: string; path: string }[];
	/** @throws ImageError */
	resolve(image: string, options: { pullPolicy: string; hasCommand: boolean }): Image;
}

/**
 * @param userFile a YAML file that may come and change at any time: `image name: { entrypoint: […], args: […], env: {…}, requires: … }`
 * @param assets the directory of the stand-ins on the machine
 */
export function createImageTable(options: { userFile?: string; assets: string }): ImageTable {
	let known = { changedMs: -1, entries: [] as readonly ImageEntry[] };
	const userEntries = (): readonly ImageEntry[] => {
		const changedMs = options.userFile === undefined ? undefined : modifiedMs(options.userFile);
		if (options.userFile === undefined || changedMs === undefined) return [];
		if (changedMs !== known.changedMs) {
			known = { changedMs, entries: parseUserTable(readFileSync(options.userFile, "utf8"), options.userFile) };
		}
		return known.entries;
	};
	const table: ImageTable = {
		find(image) {
			const { registry, repository, name, tag } = parseImageReference(image);
			const whole = [repository, registry === "" ? repository : `${registry}/${repository}`];
			const forms = new Set([name, ...whole, ...whole.map((form) => `${form}:${tag}`), `${name}:${tag}`, image]);
			const fits = (pattern: string) => [...forms].some((form) => glob(pattern).test(form));
			return [...userEntries(), ...builtinImages].find((entry) => entry.names.some(fits));
		},
		programs(image, variables) {
			const entry = table.find(image);
			const entries = Object.entries(entry?.programs ?? {});
			const programs = entries.map(([path, name]) => ({ source: `${options.assets}/bin/${name}`, path }));
			const isAlpine = parseImageReference(image).tag.includes("alpine");
			const shell = entry?.busyboxShell === true || isAlpine ? busyboxShell(variables) : undefined;
			return shell === undefined ? programs : [...programs, { source: shell, path: "/bin/sh" }];
		},
		resolve(image, { hasCommand }) {
			const entry = table.find(image);
			if (entry === undefined && !hasCommand)
				throw new ImageError("ErrImagePull", unknownImage(image, options.userFile));
			if (entry?.requires !== undefined && !hasCommand && !isOnPath(entry.requires, options.assets)) {
				const remedy = entry.package === undefined ? "install it" : `sudo apt-get install ${entry.package}`;
				const problem = `image "${image}" stands for the program ${entry.requires}, which is not on this machine`;
				throw new ImageError(
					"ErrImagePull",
					`${problem}: ${remedy}, or add "command:" to the container, or use containerd`,
				);
			}
			const env = Object.entries(entry?.env ?? {}).map(([name, value]) => ({ name, value }));
			const id = `sha256:${createHash("sha256").update(image).digest("hex")}`;
			return { id, entrypoint: entry?.entrypoint ?? [], args: entry?.args ?? [], env, sizeBytes: 0 };
		},
	};
	return table;
}

/** What on this machine is most like busybox's shell: itself, else bash. Undefined when the machine has neither. */
function busyboxShell(variables: Iterable<string>): string | undefined {
	// Variables with names that no shell can use go on to what bash starts, and are lost with busybox.
	const plain = [...variables].every((name) => /^\w+$/.test(name));
	return [...(plain ? ["/bin/busybox"] : []), "/bin/bash"].find(isExecutable);
}

function unknownImage(image: string, userFile: string | undefined): string {
	const file = userFile === undefined ? "" : `, add an entry for it to ${userFile}`;
	return (
		`image "${image}" cannot be pulled: the process runtime runs the programs of this machine and knows no default command for ` +
		`this image; add "command:" to the container${file}, or use containerd`
	);
}

function parseUserTable(text: string, file: string): ImageEntry[] {
	const document: unknown = yamlLibrary().parse(text);
	if (document === null || document === undefined) return [];
	if (typeof document !== "object" || Array.isArray(document))
		throw new Error(`${file}: a map of image names is wanted`);
	return Object.entries(document).map(([name, value]: [string, unknown]) => {
		const fields: Record<string, unknown> = typeof value === "object" && value !== null ? { ...value } : {};
		const words = (key: string) => {
			const list = fields[key] ?? [];
			if (Array.isArray(list)) return list.map(String);
			throw new Error(`${file}: ${name}.${key}: a list is wanted`);
		};
		const env = typeof fields["env"] === "object" && fields["env"] !== null ? Object.entries(fields["env"]) : [];
		return {
			names: [name],
			entrypoint: words("entrypoint"),
			args: words("args"),
			env: Object.fromEntries(env.map(([key, setting]) => [key, String(setting)])),
			volumes: words("volumes"),
			...(typeof fields["requires"] === "string" ? { requires: fields["requires"] } : {}),
			...(typeof fields["workingDir"] === "string" ? { workingDir: fields["workingDir"] } : {}),
		};
	});
}

function glob(pattern: string): RegExp {
	const escaped = pattern.split("*").map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, "\\$&"));
	return new RegExp(`^${escaped.join(".*")}$`);
}

function isOnPath(program: string, assets: string): boolean {
	const directories = containerPath.split(":").map((path) => (path === standInDirectory ? `${assets}/bin` : path));
	return directories.some((directory) => isExecutable(`${directory}/${program}`));
}

function isExecutable(path: string): boolean {
	try {
		accessSync(path, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}

function modifiedMs(path: string): number | undefined {
	try {
		return statSync(path).mtimeMs;
	} catch {
		return undefined;
	}
}
