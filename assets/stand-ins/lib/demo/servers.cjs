// Servers that say hello.
"use strict";
const fs = require("node:fs");
const http = require("node:http");
const net = require("node:net");

const html = (title, body) => ({
	type: "text/html; charset=utf-8",
	text: `<!DOCTYPE html>\n<html>\n<head>\n<title>${title}</title>\n</head>\n<body>\n${body}\n</body>\n</html>\n`,
});
const escape = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

exports["hello-app"] = ({ env, host }) => ({
	port: Number(env.PORT || 8080),
	answer: () => `Hello, world!\nVersion: ${env.HELLO_VERSION || "1.0.0"}\nHostname: ${host}\n`,
});

exports["node-hello"] = () => ({ port: 8080, answer: () => "Hello Kubernetes!" });

exports["kubernetes-bootcamp"] = ({ env, host }) => ({
	port: 8080,
	before: () => console.log(`Kubernetes Bootcamp App Started At: ${new Date().toISOString()} | Running On:  ${host}\n`),
	answer: () => `Hello Kubernetes bootcamp! | Running on: ${host} | v=${env.BOOTCAMP_VERSION || "1"}\n`,
});

exports["hello-go-gke"] = () => ({ port: 80, answer: () => ({ type: "application/json", text: '{"message":"Hello"}\n' }) });

/** Passes what it is asked to the service `hello`. */
exports["hello-frontend"] = () => ({
	port: 80,
	answer: ({ request, body }) =>
		new Promise((resolve) => {
			const failed = () => resolve(Object.assign(html("502 Bad Gateway", "<h1>502 Bad Gateway</h1>"), { status: 502 }));
			const asked = http.request({ host: "hello", path: request.url, method: request.method, timeout: 5000 }, async (response) => {
				const chunks = [];
				for await (const chunk of response) chunks.push(chunk);
				resolve({ status: response.statusCode, type: response.headers["content-type"], text: Buffer.concat(chunks).toString() });
			});
			asked.on("error", failed).on("timeout", () => asked.destroy(new Error("timed out")));
			asked.end(body);
		}),
});

/** Of the pages on probes: all that matters is that it listens. */
exports.goproxy = () => ({ port: 8080, answer: () => ({ status: 502, text: "Coxswain's stand-in for goproxy passes nothing on\n" }) });

/** Each request takes time of the processor, so that an autoscaler has something to do. */
exports["hpa-example"] = () => ({
	port: 80,
	answer() {
		let x = 0.0001;
		for (let step = 0; step < 20_000_000; step++) x += Math.sqrt(x);
		return x > 0 ? "OK!" : "";
	},
});

exports["hello-kubernetes"] = ({ env, host }) => ({
	port: Number(env.PORT || 8080),
	answer: () => html("Hello Kubernetes!", `<h1>${escape(env.MESSAGE || "Hello world!")}</h1>\n<p>pod: ${escape(env.KUBERNETES_POD_NAME || host)}</p>\n<p>node: ${escape(env.KUBERNETES_NODE_NAME || "")}</p>`),
});

exports["webapp-color"] = ({ flags, env, host }) => {
	const color = flags.color || env.APP_COLOR || "red";
	return {
		port: 8080,
		answer: ({ url }) => (url.pathname === "/" ? html("Hello from Flask", `<div style="background: ${escape(color)}"><h1>Hello from ${host}!</h1>\n<h2>Application Version: v1, color ${escape(color)}</h2></div>`) : { status: 404, text: "Not Found\n" }),
	};
};

exports.podinfo = ({ flags, env, host }) => {
	const state = { ready: true, healthy: true };
	const json = (value, status = 200) => ({ status, type: "application/json; charset=utf-8", text: `${JSON.stringify(value, undefined, 2)}\n` });
	return {
		port: Number(flags.port || env.PODINFO_PORT || 9898),
		answer({ request, url, body }) {
			switch (url.pathname) {
				case "/healthz":
					return state.healthy ? json({ status: "OK" }) : json({ status: "" }, 503);
				case "/readyz":
					return state.ready ? json({ status: "OK" }) : json({ status: "" }, 503);
				case "/readyz/enable":
				case "/readyz/disable":
					state.ready = url.pathname.endsWith("enable");
					return json({ status: "OK" }, 202);
				case "/version":
					return json({ commit: "coxswain-stand-in", version: "6.0.0" });
				case "/env":
					return json(Object.entries(process.env).map(([key, value]) => `${key}=${value}`));
				case "/echo":
					return { status: 202, text: body };
				case "/":
					return json({ hostname: host, version: "6.0.0", message: env.PODINFO_UI_MESSAGE || "greetings from Coxswain's stand-in for podinfo", runtime: "node" });
				default: {
					const [, status] = /^\/status\/(\d{3})$/.exec(url.pathname) || [];
					return status === undefined ? json({ error: `${request.method} ${url.pathname} not found` }, 404) : json({ status: Number(status) }, Number(status));
				}
			}
		},
	};
};

/** Its installation page where its database answers; nothing can be installed. */
exports.wordpress = ({ env }) => ({
	port: 80,
	before() {
		try {
			fs.writeFileSync("/var/www/html/index.php", "<?php // Coxswain's stand-in for WordPress\n", { flag: "a" });
		} catch {
			// A read-only volume.
		}
	},
	async answer({ url }) {
		const [host, port = "3306"] = (env.WORDPRESS_DB_HOST || "mysql").split(":");
		const answers = await new Promise((resolve) => {
			const socket = net.connect({ host, port: Number(port), timeout: 3000 });
			const end = (result) => {
				socket.destroy();
				resolve(result);
			};
			socket.on("connect", () => end(true)).on("error", () => end(false)).on("timeout", () => end(false));
		});
		if (!answers) return Object.assign(html("Database Error", "<h1>Error establishing a database connection</h1>"), { status: 500 });
		if (url.pathname !== "/wp-admin/install.php") return { status: 302, text: "", headers: { Location: "/wp-admin/install.php" } };
		return html("WordPress &rsaquo; Installation", `<h1>WordPress</h1>\n<p>Coxswain's stand-in: the database ${escape(host)} answers.</p>`);
	},
});
