/**
 * Limits concurrent attempts, in total and per namespace, so that unreachable sinks delay only those of their own
 * namespace.
 */

const mostAtOnce = 16;
const mostOfNamespace = 4;

export class Slots<T extends { readonly name: { readonly namespace: string } }> {
	#active = 0;
	readonly #activeOf = new Map<string, number>();
	readonly #waiting = new Set<T>();

	/** @returns false: it waits until `leave` returns it */
	enter(one: T): boolean {
		if (this.#waiting.has(one)) return false;
		if (this.#active < mostAtOnce && this.#of(one) < mostOfNamespace) {
			this.#count(one, 1);
			return true;
		}
		this.#waiting.add(one);
		return false;
	}

	/**
	 * @returns the waiter that may try to enter now: the one that has waited longest in the namespace with the fewest
	 * attempts
	 */
	leave(one: T): T | undefined {
		this.#count(one, -1);
		let next: T | undefined;
		let fewest = mostOfNamespace;
		for (const waiting of this.#waiting) {
			const count = this.#of(waiting);
			if (count >= fewest) continue;
			next = waiting;
			fewest = count;
			if (count === 0) break;
		}
		if (next !== undefined) this.#waiting.delete(next);
		return next;
	}

	#of({ name }: T): number {
		return this.#activeOf.get(name.namespace) ?? 0;
	}

	#count(one: T, change: 1 | -1): void {
		const { namespace } = one.name;
		const count = this.#of(one) + change;
		this.#active += change;
		if (count === 0) this.#activeOf.delete(namespace);
		else this.#activeOf.set(namespace, count);
	}
}
