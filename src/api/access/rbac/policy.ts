/** All roles and bindings, indexed for authorization and updated from the watch cache. */
import type { User } from "../../../core/exchange.ts";
import type { KubeObject } from "../../../core/object.ts";
import type { Kind } from "../../../kinds/engine/kind.ts";
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding } from "../../../kinds/generated/types.ts";
import { clusterRoles } from "../../../kinds/rbac/clusterrole.ts";
import { clusterRoleBindings } from "../../../kinds/rbac/clusterrolebinding.ts";
import { roles } from "../../../kinds/rbac/role.ts";
import { roleBindings } from "../../../kinds/rbac/rolebinding.ts";
import type { WatchCache } from "../../cache/cache.ts";
import type { CacheEvent } from "../../cache/event.ts";
import { keyPrefix } from "../../cache/keys.ts";
import type { KindCache } from "../../cache/kind-cache.ts";
import { type Grant, Grants } from "./grants.ts";
import { type CompiledRules, compileRules } from "./rules.ts";

/** Rules of roles, by the frozen object that contains them. */
const compiled = new WeakMap<KubeObject, CompiledRules>();

export class RolePolicy {
	readonly #cache: WatchCache;
	readonly #clusterRoles: KindCache<ClusterRole>;
	readonly #roles: KindCache<Role>;
	readonly #ofCluster = new Grants();
	readonly #ofNamespaces = new Map<string, Grants>();
	/** Functions that remove the grants of a binding, by the binding's key. */
	readonly #given = new Map<string, () => void>();
	readonly #closing = new AbortController();

	/** @param cache must be filled */
	constructor(cache: WatchCache) {
		this.#cache = cache;
		this.#clusterRoles = cache.resource(clusterRoles);
		this.#roles = cache.resource(roles);
		this.#follow(clusterRoleBindings);
		this.#follow(roleBindings);
	}

	close(): void {
		this.#closing.abort();
	}

	/** The user's first grant, cluster-wide or in the namespace, that `suits`. */
	find(user: User, namespace: string | undefined, suits: (grant: Grant) => boolean): Grant | undefined {
		const found = this.#ofCluster.find(user, suits);
		if (found !== undefined || !namespace) return found;
		return this.#ofNamespaces.get(namespace)?.find(user, suits);
	}

	/** Undefined while the role does not exist. */
	compiledRules(grant: Grant): CompiledRules | undefined {
		const role = this.#roleOf(grant);
		if (role === undefined) return undefined;
		let rules = compiled.get(role);
		if (rules === undefined) {
			rules = compileRules(role.rules);
			compiled.set(role, rules);
		}
		return rules;
	}

	/** Undefined while the role does not exist. */
	rules(grant: Grant): readonly PolicyRule[] | undefined {
		const role = this.#roleOf(grant);
		return role === undefined ? undefined : (role.rules ?? []);
	}

	#roleOf({ isClusterRole, roleKey }: Grant): ClusterRole | Role | undefined {
		return (isClusterRole ? this.#clusterRoles : this.#roles).get(roleKey)?.object;
	}

	/** Indexes all objects, then every change; starts over when the cache is refilled. */
	#follow(kind: Kind<ClusterRoleBinding | RoleBinding>): void {
		if (this.#closing.signal.aborted) return;
		const prefix = keyPrefix(kind);
		for (const [key, takeAway] of this.#given)
			if (key.startsWith(prefix)) {
				takeAway();
				this.#given.delete(key);
			}
		const bindings = this.#cache.resource(kind);
		for (const { key, object } of bindings.range(prefix)) this.#give(key, object);
		const watch = new AbortController();
		const watcher = {
			scope: { by: "all" } as const,
			change: ({ key, current }: CacheEvent<ClusterRoleBinding | RoleBinding>) => {
				this.#given.get(key)?.();
				this.#given.delete(key);
				if (current !== undefined) this.#give(key, current.object);
			},
			progress: () => {},
			end: () => {
				watch.abort();
				this.#follow(kind);
			},
		};
		const signal = AbortSignal.any([watch.signal, this.#closing.signal]);
		bindings.watch(watcher, this.#cache.revision, signal);
	}

	#give(key: string, binding: ClusterRoleBinding | RoleBinding): void {
		const { namespace } = binding.metadata;
		if (namespace === undefined) {
			this.#given.set(key, this.#ofCluster.add(binding));
			return;
		}
		const grants = this.#ofNamespaces.get(namespace) ?? new Grants();
		this.#ofNamespaces.set(namespace, grants);
		const takeAway = grants.add(binding);
		this.#given.set(key, () => {
			takeAway();
			if (grants.isEmpty && this.#ofNamespaces.get(namespace) === grants) this.#ofNamespaces.delete(namespace);
		});
	}
}
