/** Two connected streams: data written to one is read from the other. */
import { Duplex } from "node:stream";

class End extends Duplex {
	other: End | undefined;
	#resume: (() => void) | undefined;

	override _read(): void {
		const resume = this.#resume;
		this.#resume = undefined;
		resume?.();
	}

	override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
		const { other } = this;
		if (other === undefined || other.destroyed) done(new Error("the other end is closed"));
		else other.#take(chunk, done);
	}

	override _final(done: () => void): void {
		this.other?.push(null);
		done();
	}

	override _destroy(error: Error | null, done: (error: Error | null) => void): void {
		const { other } = this;
		if (other !== undefined && !other.destroyed) queueMicrotask(() => other.destroy());
		done(error);
	}

	/** Accepts a chunk; `done` is called when there is room for another. */
	#take(chunk: Buffer, done: () => void): void {
		if (this.push(chunk)) done();
		else this.#resume = done;
	}
}

export function duplexPair(): [Duplex, Duplex] {
	const [one, other] = [new End(), new End()];
	one.other = other;
	other.other = one;
	return [one, other];
}
