export const pullPolicies = ["Always", "IfNotPresent", "Never"];

/** `Always` for images without a tag or with `latest`, otherwise `IfNotPresent`. */
export function defaultPullPolicy(image: string): "Always" | "IfNotPresent" {
	if (image.includes("@")) return "IfNotPresent";
	const tag = /:([^/:]+)$/.exec(image)?.[1];
	return tag === undefined || tag === "latest" ? "Always" : "IfNotPresent";
}
