// agnhost nettest: keeps account of who has written to it.
"use strict";
const { body, endOnSignal, hostname, listen } = require("./http.cjs");
const { parse } = require("./flags.cjs");

exports.nettest = function nettest(words) {
	const flags = parse(words);
	endOnSignal(Number(flags["delay-shutdown"] || 0) * 1000);
	const state = { Hostname: hostname(), Sent: null, Received: null, Errors: null, Log: null, StillContactingPeers: true };
	listen(flags.port || "8080", async (request, response, url) => {
		switch (url.pathname) {
			case "/read":
				return JSON.stringify(state, null, "\t");
			case "/status":
				return "running";
			case "/quit":
				return process.exit(0);
			case "/write": {
				let source;
				try {
					source = JSON.parse((await body(request)).toString()).Source;
					if (!source) throw new Error(`${state.Hostname}: Got request with no source`);
					state.Received = { ...state.Received, [source]: (state.Received?.[source] || 0) + 1 };
				} catch (error) {
					state.Errors = [...(state.Errors || []), error.message];
				}
				return `${JSON.stringify({ Hostname: state.Hostname })}\n`;
			}
			default:
				response.statusCode = 404;
				return "404 page not found\n";
		}
	});
};
