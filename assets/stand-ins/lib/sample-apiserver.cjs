// Stands in for Kubernetes' sample-apiserver: an extension API server that serves wardle.example.com, from memory.
"use strict";
const fs = require("node:fs");
const { log, parse } = require("./agnhost/flags.cjs");
const { askCluster } = require("./sample-apiserver/cluster.cjs");
const { createServer } = require("./sample-apiserver/server.cjs");

process.on("uncaughtException", (error) => {
	log(error.message);
	process.exit(1);
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));

async function main() {
	const flags = parse(process.argv.slice(2));
	const tls = {
		cert: fs.readFileSync(flags["tls-cert-file"] ?? "/localhost.crt"),
		key: fs.readFileSync(flags["tls-private-key-file"] ?? "/localhost.key"),
	};
	const path = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication";
	const { data = {} } = await askCluster("GET", path);
	const server = createServer({
		tls,
		proxies: { ca: data["requestheader-client-ca-file"], names: JSON.parse(data["requestheader-allowed-names"] ?? "[]") },
		authorize: async (spec) => {
			const body = { apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview", spec };
			const { status } = await askCluster("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body);
			return status.allowed ? undefined : (status.reason ?? "");
		},
		review: async (token) => {
			const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec: { token } };
			const { status } = await askCluster("POST", "/apis/authentication.k8s.io/v1/tokenreviews", body);
			return status.authenticated ? status.user : undefined;
		},
		audit: flags["audit-log-path"] === "-" ? (line) => console.log(line) : undefined,
	});
	const port = Number(flags["secure-port"] ?? 443);
	server.listen(port, () => log(`Serving securely on [::]:${port}`));
}

void main();
