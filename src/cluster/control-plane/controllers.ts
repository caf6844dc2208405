import {
	certificateCleanerController,
	certificateSigningController,
} from "../../controllers/certificatesigningrequest/controller.ts";
import type { SignCertificate } from "../../controllers/certificatesigningrequest/signing.ts";
import { clusterRoleAggregationController } from "../../controllers/clusterrole-aggregation/controller.ts";
import { cronJobController } from "../../controllers/cronjob/controller.ts";
import { daemonSetController } from "../../controllers/daemonset/controller.ts";
import { deploymentController } from "../../controllers/deployment/controller.ts";
import { deviceTaintEvictionController } from "../../controllers/device-taint-eviction/controller.ts";
import { disruptionController } from "../../controllers/disruption/controller.ts";
import { staleDisruptionController } from "../../controllers/disruption/stale.ts";
import { endpointsController } from "../../controllers/endpoints/controller.ts";
import { endpointSliceController } from "../../controllers/endpointslice/controller.ts";
import { endpointSliceMirroringController } from "../../controllers/endpointslice-mirroring/controller.ts";
import { flowSchemaController } from "../../controllers/flow-schema/controller.ts";
import { garbageCollectorController } from "../../controllers/garbage-collector/controller.ts";
import { horizontalPodAutoscalerController } from "../../controllers/horizontalpodautoscaler/controller.ts";
import type { MetricsSource } from "../../controllers/horizontalpodautoscaler/metrics.ts";
import { jobController } from "../../controllers/job/controller.ts";
import { jobOrphanController } from "../../controllers/job/orphans.ts";
import { kubectlRunController } from "../../controllers/kubectl-run/controller.ts";
import { namespaceController } from "../../controllers/namespace/controller.ts";
import { nodeIpamController } from "../../controllers/node-ipam/controller.ts";
import { nodeLifecycleController } from "../../controllers/node-lifecycle/controller.ts";
import { podGcController } from "../../controllers/pod-gc/controller.ts";
import { replicaSetController } from "../../controllers/replicaset/controller.ts";
import { replicationControllerController } from "../../controllers/replicationcontroller/controller.ts";
import { resourceClaimController } from "../../controllers/resourceclaim/claims.ts";
import { podClaimsController } from "../../controllers/resourceclaim/pod-claims.ts";
import { resourceQuotaController } from "../../controllers/resourcequota/controller.ts";
import { rootCaController } from "../../controllers/root-ca/controller.ts";
import type { Controller } from "../../controllers/runtime/controller.ts";
import { serviceAddressController } from "../../controllers/service-cidr/addresses.ts";
import { serviceCidrController } from "../../controllers/service-cidr/controller.ts";
import type { Balancer } from "../../controllers/service-load-balancer/balancer.ts";
import { serviceLoadBalancerController } from "../../controllers/service-load-balancer/controller.ts";
import { serviceAccountController } from "../../controllers/serviceaccount/controller.ts";
import {
	type SignSecretToken,
	serviceAccountTokenController,
} from "../../controllers/serviceaccount-token/controller.ts";
import { statefulSetController } from "../../controllers/statefulset/controller.ts";
import { taintEvictionController } from "../../controllers/taint-eviction/controller.ts";
import { tokenCleanerController } from "../../controllers/token-cleaner/controller.ts";
import { ttlAfterFinishedController } from "../../controllers/ttl/controller.ts";
import { policyStatusController } from "../../controllers/validatingadmissionpolicy/controller.ts";
import { volumeBinder } from "../../controllers/volumes/binder.ts";
import { ephemeralVolumes } from "../../controllers/volumes/ephemeral.ts";
import { claimProtection, volumeProtection } from "../../controllers/volumes/protection.ts";
import { workloadOrderController } from "../../controllers/workload-order/controller.ts";
import type { RemoteResources } from "../../kinds/apiregistration/remote-kind.ts";
import type { KindSource, Registry } from "../../kinds/engine/registry.ts";
import type { ClusterNetwork } from "../settings/cluster-network.ts";

/** What signs certificates and tokens. */
export interface Signing {
	/** PEM of its own certificate. */
	ca: string;
	sign: SignCertificate;
	/** Undefined: Secrets that request a token are not changed. */
	signToken?: SignSecretToken;
}

/** The cluster's certificate authorities. */
export interface Authority extends Signing {
	/** How the API server shows extension API servers that it may say who asks. */
	frontProxy: FrontProxy;
}

export interface FrontProxy {
	/** PEM of the authority that signs nothing else. */
	ca: string;
	/** Common name of the certificates. */
	name: string;
	/** The current certificate and its key. */
	client(): { key: string; cert: string };
}

export interface ControllerSettings {
	registry: Registry;
	/** Undefined if there is none (yet). */
	authority?: Signing;
	/** What extension API servers serve. Default: nothing. */
	remoteResources?: () => RemoteResources;
	/** Those of them that can be watched. Default: none. */
	remoteKinds?: KindSource;
	network: Pick<ClusterNetwork, "clusterCidr">;
	/** What serves Services of type LoadBalancer; undefined: they get no address. */
	balancer?: Balancer;
	/** The metrics for autoscalers. Without it they report that no metrics are available. */
	metrics?: MetricsSource;
}

/** Every controller of a cluster. */
export function controllers(settings: ControllerSettings): Controller<unknown>[] {
	return [
		replicaSetController,
		replicationControllerController,
		deploymentController,
		statefulSetController,
		daemonSetController,
		jobController,
		jobOrphanController,
		cronJobController,
		ttlAfterFinishedController,
		kubectlRunController,
		workloadOrderController,
		horizontalPodAutoscalerController({ registry: settings.registry, metrics: settings.metrics ?? {} }),
		disruptionController(settings.registry),
		staleDisruptionController,
		endpointsController,
		endpointSliceController,
		endpointSliceMirroringController,
		volumeBinder,
		ephemeralVolumes,
		claimProtection,
		volumeProtection,
		podClaimsController,
		resourceClaimController,
		deviceTaintEvictionController,
		nodeIpamController(settings.network.clusterCidr),
		nodeLifecycleController(),
		taintEvictionController,
		podGcController(),
		resourceQuotaController(settings.registry, settings.remoteKinds),
		serviceAccountController,
		clusterRoleAggregationController,
		tokenCleanerController,
		serviceCidrController,
		serviceAddressController,
		...(settings.balancer === undefined ? [] : [serviceLoadBalancerController(settings.balancer)]),
		flowSchemaController,
		policyStatusController(settings.registry),
		certificateCleanerController,
		...(settings.authority === undefined ? [] : authorityControllers(settings.authority)),
		namespaceController(settings.registry, settings.remoteResources),
		garbageCollectorController(settings.registry, settings.remoteKinds),
	];
}

/** Those that need a certificate authority, which a cluster may get after its start. */
export function authorityControllers({ ca, sign, signToken }: Signing): Controller<unknown>[] {
	return [
		rootCaController(ca),
		certificateSigningController(sign),
		...(signToken === undefined ? [] : [serviceAccountTokenController(ca, signToken)]),
	];
}
