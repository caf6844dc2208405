/** What runs the containers of a cluster's nodes (`cox up --runtime`). */
export const runtimes = ["process", "containerd", "simulated"] as const;
export type RuntimeKind = (typeof runtimes)[number];
