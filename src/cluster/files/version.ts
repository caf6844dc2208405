/** Coxswain's own version, as in package.json (a test compares them). */
export const version = "0.1.0";

/** The Kubernetes release that is implemented. */
export const kubernetesVersion = { major: "1", minor: "36", gitVersion: "v1.36.0" } as const;
