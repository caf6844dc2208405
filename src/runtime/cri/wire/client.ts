/** Calls to a CRI runtime at its socket. */
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import type { Clock } from "../../../core/time/clock.ts";
import type { Draft, Fields, Values } from "./message.ts";
import type { Method } from "./methods.ts";

/** An error that the runtime answered with, or that there was no answer. */
export class CriError extends Error {
	/** Of gRPC. */
	readonly code: number;

	constructor(message: string, code: number) {
		super(message);
		this.name = "CriError";
		this.code = code;
	}

	get isNotFound(): boolean {
		return this.code === status.NOT_FOUND;
	}

	get isUnimplemented(): boolean {
		return this.code === status.UNIMPLEMENTED;
	}
}

/** Upstream's `runtimeRequestTimeout`. */
const usualTimeoutMs = 120_000;
/** As upstream: lists of nodes with many containers are long. */
const longestMessage = 16 * 1024 * 1024;

export class CriClient {
	readonly #client: Client;
	readonly #clock: Clock;

	/** @param socket absolute path */
	constructor(socket: string, clock: Clock) {
		this.#clock = clock;
		this.#client = new Client(`unix://${socket}`, credentials.createInsecure(), {
			"grpc.max_receive_message_length": longestMessage,
			"grpc.max_send_message_length": longestMessage,
			"grpc.initial_reconnect_backoff_ms": 100,
			"grpc.max_reconnect_backoff_ms": 3000,
		});
	}

	/** @throws CriError */
	call<Q extends Fields, A extends Fields>(
		method: Method<Q, A>,
		request: Draft<Q>,
		{ timeoutMs = usualTimeoutMs, signal }: { timeoutMs?: number; signal?: AbortSignal } = {},
	): Promise<Values<A>> {
		return new Promise((resolve, reject) => {
			signal?.throwIfAborted();
			const cancel = () => call.cancel();
			const call = this.#client.makeUnaryRequest<Draft<Q>, Values<A>>(
				method.path,
				(value) => method.request.encode(value),
				(bytes) => method.response.decode(bytes),
				request,
				new Metadata(),
				{ deadline: this.#clock.now() + timeoutMs },
				(error, value) => {
					signal?.removeEventListener("abort", cancel);
					if (error !== null) reject(criError(error));
					else if (value === undefined) reject(new CriError("the runtime answered nothing", status.INTERNAL));
					else resolve(value);
				},
			);
			signal?.addEventListener("abort", cancel, { once: true });
		});
	}

	/**
	 * Resolves when the runtime ends the stream.
	 * @throws CriError
	 */
	stream<Q extends Fields, A extends Fields>(
		method: Method<Q, A>,
		request: Draft<Q>,
		each: (value: Values<A>) => void,
		signal: AbortSignal,
	): Promise<void> {
		return new Promise((resolve, reject) => {
			signal.throwIfAborted();
			const call = this.#client.makeServerStreamRequest<Draft<Q>, Values<A>>(
				method.path,
				(value) => method.request.encode(value),
				(bytes) => method.response.decode(bytes),
				request,
				new Metadata(),
			);
			const cancel = () => call.cancel();
			signal.addEventListener("abort", cancel, { once: true });
			call.on("data", each);
			call.once("end", resolve);
			call.once("error", (error: ServiceError) => reject(criError(error)));
			call.once("close", () => signal.removeEventListener("abort", cancel));
		});
	}

	close(): void {
		this.#client.close();
	}
}

function criError({ details, code, message }: ServiceError): CriError {
	return new CriError(details || message, code);
}
