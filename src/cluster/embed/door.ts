/**
 * The way into an embedded cluster for its clients. What is behind it may be replaced: a rewind starts another API
 * server, and requests wait in the meantime.
 */
import type { Api } from "../../api/handle.ts";
import { errorResponse } from "../../api/wire/respond.ts";
import { type ConnectionFaults, faultySend, noFaults } from "../../client/faults.ts";
import type { Handler } from "../../core/exchange.ts";
import type { Clock } from "../../core/time/clock.ts";

export class Door {
	#api: Api | undefined;
	#waiting: Promise<Api>;
	#resolve: (api: Api) => void = () => {};
	/** Of those who use `outside`; may be changed at any time. */
	readonly faults: ConnectionFaults;
	readonly #clock: () => Clock;

	constructor(faults: Partial<ConnectionFaults>, clock: () => Clock) {
		this.faults = { ...noFaults, ...faults };
		this.#clock = clock;
		this.#waiting = this.#next();
	}

	#next(): Promise<Api> {
		return new Promise((resolve) => {
			this.#resolve = resolve;
		});
	}

	open(api: Api): void {
		this.#api = api;
		this.#resolve(api);
	}

	shut(): void {
		this.#api = undefined;
		this.#waiting = this.#next();
	}

	/** For the program's own client. */
	readonly inside: Handler = (request) =>
		this.#api === undefined ? this.#waiting.then(({ handle }) => handle(request)) : this.#api.handle(request);

	/** For other users, by the connection that the faults describe. */
	readonly outside: Handler = (request) => {
		if (!Object.values(this.faults).some((fault) => fault > 0)) return this.inside(request);
		return faultySend(this.inside, {
			clock: this.#clock(),
			random: this.#clock().random,
			faults: this.faults,
		})
			.send(request)
			.catch(errorResponse);
	};

	/** For sockets. */
	get api(): Pick<Api, "handle" | "upgrade"> {
		return {
			handle: this.outside,
			upgrade: async (...connection) => (this.#api ?? (await this.#waiting)).upgrade(...connection),
		};
	}
}
