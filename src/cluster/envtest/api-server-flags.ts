/** The flags of upstream's kube-apiserver that an envtest suite may pass. */
import type { FlagTable } from "./flags.ts";

const used: FlagTable = {
	"etcd-servers": "value",
	"bind-address": "value",
	"secure-port": "value",
	"cert-dir": "value",
	"tls-cert-file": "value",
	"tls-private-key-file": "value",
	"client-ca-file": "value",
	"token-auth-file": "value",
	"authorization-mode": "value",
	"anonymous-auth": "value",
	"service-cluster-ip-range": "value",
	"service-account-issuer": "value",
	"service-account-signing-key-file": "value",
	"service-account-key-file": "value",
	"api-audiences": "value",
	"requestheader-client-ca-file": "value",
	"requestheader-allowed-names": "value",
	"requestheader-username-headers": "value",
	"requestheader-uid-headers": "value",
	"requestheader-group-headers": "value",
	"requestheader-extra-headers-prefix": "value",
	"proxy-client-cert-file": "value",
	"proxy-client-key-file": "value",
	"enable-admission-plugins": "value",
	"disable-admission-plugins": "value",
	"admission-control-config-file": "value",
};

/**
 * They tune what this API server does not have, or does in its own way: logs, caches, etcd, limits.
 * Feature gates and runtime configuration: it serves what upstream serves by default.
 */
const unused = [
	...["advertise-address", "allow-privileged", "apiserver-count", "audit-log-format", "audit-log-maxage"],
	...["audit-log-maxbackup", "audit-log-maxsize", "audit-log-path", "audit-policy-file", "contention-profiling"],
	...["cors-allowed-origins", "default-not-ready-toleration-seconds", "default-unreachable-toleration-seconds"],
	...["default-watch-cache-size", "delete-collection-workers", "emulated-version", "enable-aggregator-routing"],
	...[
		"enable-bootstrap-token-auth",
		"enable-garbage-collector",
		"enable-priority-and-fairness",
		"endpoint-reconciler-type",
	],
	...["etcd-compaction-interval", "etcd-count-metric-poll-period", "etcd-prefix", "event-ttl", "external-hostname"],
	...[
		"feature-gates",
		"goaway-chance",
		"http2-max-streams-per-connection",
		"kubernetes-service-node-port",
		"livez-grace-period",
	],
	...["log-flush-frequency", "log-json-info-buffer-size", "logging-format", "max-mutating-requests-inflight"],
	...["max-requests-inflight", "min-request-timeout", "permit-address-sharing", "permit-port-sharing", "profiling"],
	...["request-timeout", "runtime-config", "service-account-extend-token-expiration"],
	...[
		"service-account-lookup",
		"service-account-max-token-expiration",
		"service-node-port-range",
		"shutdown-delay-duration",
	],
	...[
		"storage-backend",
		"storage-media-type",
		"strict-transport-security-directives",
		"tls-cipher-suites",
		"tls-min-version",
	],
	...["v", "vmodule", "watch-cache", "watch-cache-sizes"],
];

export const apiServerFlags: FlagTable = {
	...Object.fromEntries(unused.map((name) => [name, "unused"] as const)),
	...used,
};
