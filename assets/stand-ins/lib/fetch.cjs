// What the stand-ins for wget and curl have in common: one HTTP request, with redirects.
"use strict";
const http = require("node:http");
const https = require("node:https");

exports.fetch = function fetch(address, options, redirects = 10) {
	const url = new URL(/^\w+:\/\//.test(address) ? address : `http://${address}`);
	const { request } = url.protocol === "https:" ? https : http;
	return new Promise((resolve, reject) => {
		const { method = "GET", headers = {}, body, ca, insecure, timeoutSeconds } = options;
		const sent = request(url, { method, headers, ca, rejectUnauthorized: !insecure, auth: options.auth || (url.username && `${url.username}:${url.password}`) || undefined });
		const timer = timeoutSeconds > 0 ? setTimeout(() => sent.destroy(Object.assign(new Error("timed out"), { code: "ETIMEDOUT" })), timeoutSeconds * 1000) : undefined;
		sent.on("error", (error) => {
			clearTimeout(timer);
			reject(Object.assign(error, { url }));
		});
		sent.on("response", (response) => {
			const { location } = response.headers;
			if (options.follow && location && response.statusCode >= 300 && response.statusCode < 400 && redirects > 0) {
				response.resume();
				clearTimeout(timer);
				resolve(fetch(new URL(location, url).href, { ...options, method: response.statusCode === 303 ? "GET" : method }, redirects - 1));
				return;
			}
			response.on("close", () => clearTimeout(timer));
			resolve({ response, url });
		});
		sent.end(body);
	});
};
