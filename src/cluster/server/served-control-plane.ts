/**
 * The control plane of a server process and its sockets. Most of the code of that process: it is loaded after the first
 * agent was started.
 */
import { statSync } from "node:fs";
import type { AuditOptions } from "../../api/audit/audit.ts";
import { auditPolicy } from "../../api/audit/policy.ts";
import { jwtAuthenticators } from "../../api/credentials/oidc/configuration.ts";
import { podSecurityConfiguration } from "../../api/pod-security/configuration-file.ts";
import { systemClock } from "../../core/time/clock.ts";
import { logError } from "../../linux/process-log.ts";
import type { DurableStore } from "../../store/lmdb/lmdb.ts";
import type { Store } from "../../store/store.ts";
import type { Assembly } from "../assembly/assembly.ts";
import { clientTrust } from "../control-plane/client-trust.ts";
import type { ControlPlane } from "../control-plane/control-plane.ts";
import type { Layout } from "../files/layout.ts";
import { ensureCertificates } from "../pki/certificates.ts";
import { serverNames } from "../pki/server-names.ts";
import type { Settings } from "../settings/settings.ts";
import { type ApiListeners, openApiListeners } from "./api-listeners.ts";
import { AuditLog } from "./audit-log.ts";

export interface ServedOptions {
	/** Stops what is started here. */
	assembly: Assembly;
	layout: Layout;
	settings: Settings;
	store: Store;
	/** What is under it. */
	disk: DurableStore;
	/** If it is in use, another one is chosen. */
	port: number;
}

/** Resolves when it answers. */
export async function serveControlPlane(
	options: ServedOptions,
): Promise<{ controlPlane: ControlPlane; listeners: ApiListeners }> {
	const { assembly, layout, settings, store, disk, port } = options;
	const certificates = ensureCertificates(layout.pki, serverNames(settings), systemClock().now());
	const trust = clientTrust(certificates.authority, settings.requestHeader);
	const controlPlane = await assembly.startControlPlane({
		store,
		authority: certificates.authority,
		trust,
		serviceAccountKey: certificates.serviceAccountKey,
		admissionPlugins: settings.admissionPlugins ?? [],
		apiAudiences: settings.apiAudiences ?? [],
		oidc: settings.oidc === undefined ? [] : jwtAuthenticators(settings.oidc),
		audit: audit(options),
		history: settings.history,
		notify: { allow: settings.notifyAllow ?? [], isPublicOpen: settings.runtime !== "simulated" },
		podSecurity: settings.admission === undefined ? {} : podSecurityConfiguration(settings.admission),
		storeFile: {
			bytes: () => statSync(layout.storeFile).size,
			followTransactions: (begin) => disk.followTransactions(begin),
		},
		onError: logError,
	});
	const { api } = controlPlane;
	const network = settings;
	const listeners = await openApiListeners({ api, layout, certificates, trust, network, port, onError: logError });
	assembly.atEnd(() => listeners.close());
	return { controlPlane, listeners };
}

function audit({ assembly, layout, settings }: ServedOptions): AuditOptions | undefined {
	if (settings.audit === undefined) return undefined;
	const { log = layout.auditLog, maxSizeMegabytes, maxBackups, maxAgeDays } = settings.audit;
	const written = new AuditLog({
		file: log,
		maxSizeBytes: maxSizeMegabytes === undefined ? undefined : maxSizeMegabytes * 1024 * 1024,
		maxBackups,
		maxAgeMs: maxAgeDays === undefined ? undefined : maxAgeDays * 24 * 3_600_000,
		onError: logError,
	});
	assembly.atEnd(() => written.close());
	return { policy: auditPolicy(settings.audit.policy), sink: written.write };
}
