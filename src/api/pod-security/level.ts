/** Levels and versions of the Pod Security Standards, as in labels of namespaces. */

/** From the least to the most strict (Kubernetes documentation, "Pod Security Standards"). */
export const levels = ["privileged", "baseline", "restricted"] as const;
export type Level = (typeof levels)[number];

/** A level as some release of Kubernetes defined it. */
export interface LevelVersion {
	readonly level: Level;
	/** Minor number of a release of Kubernetes 1. */
	readonly version: number | "latest";
}

/** `restricted:latest`, `baseline:v1.29` */
export function levelText({ level, version }: LevelVersion): string {
	return `${level}:${version === "latest" ? version : `v1.${version}`}`;
}

export function isStricter(level: Level, than: Level): boolean {
	return levels.indexOf(level) > levels.indexOf(than);
}

export function isSame(a: LevelVersion, b: LevelVersion): boolean {
	return a.level === b.level && a.version === b.version;
}

/** Undefined when there is no such level. */
export function parseLevel(text: string): Level | undefined {
	return levels.find((level) => level === text);
}

/** Undefined for anything but `latest` and `v1.MINOR`. */
export function parseVersion(text: string): number | "latest" | undefined {
	if (text === "latest") return text;
	const minor = /^v1\.(0|[1-9]\d*)$/.exec(text)?.[1];
	return minor !== undefined && Number.isSafeInteger(Number(minor)) ? Number(minor) : undefined;
}
