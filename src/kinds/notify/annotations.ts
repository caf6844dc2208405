import { notifyGroup } from "./notificationpolicy.ts";

/** Enables notifications: the name of a Secret with a webhook's `url`, and optionally a signing `key`. */
export const webhookAnnotation = `${notifyGroup}/webhook`;
/** Which events, with commas between them. */
export const eventsAnnotation = `${notifyGroup}/events`;
/** Of a policy: another value has a test message sent. */
export const testAnnotation = `${notifyGroup}/test`;
/** Of workloads: a run keeps what its Job had of them. */
export const workloadAnnotations: readonly string[] = [webhookAnnotation, eventsAnnotation];
