// Requests to the cluster's API from inside a pod, with the pod's token.
"use strict";
const fs = require("node:fs");
const https = require("node:https");

const folder = "/var/run/secrets/kubernetes.io/serviceaccount";

/** @returns the object of the answer, or rejects with what the server says. Both files are read anew: they change. */
exports.askCluster = function askCluster(method, path, object) {
	const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
	if (!host || !port) throw new Error("unable to load in-cluster configuration");
	const body = object && JSON.stringify(object);
	const options = {
		method,
		ca: fs.readFileSync(`${folder}/ca.crt`),
		headers: {
			Authorization: `Bearer ${fs.readFileSync(`${folder}/token`, "utf8")}`,
			...(body && { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) }),
		},
		timeout: 10_000,
	};
	return new Promise((resolve, reject) => {
		const request = https.request(`https://${host}:${port}${path}`, options, async (response) => {
			let text = "";
			for await (const chunk of response.setEncoding("utf8")) text += chunk;
			if (response.statusCode < 300) resolve(JSON.parse(text));
			else reject(new Error(`${path}: ${response.statusCode} ${text}`));
		});
		request.on("timeout", () => request.destroy(new Error(`${path}: timed out`)));
		request.on("error", reject);
		request.end(body);
	});
};
