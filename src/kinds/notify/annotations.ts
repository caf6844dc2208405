import { notifyGroup } from "./notificationpolicy.ts";

/** The short way to be told: the name of a Secret that has a webhook's `url`, and `key` if it is to be signed. */
export const webhookAnnotation = `${notifyGroup}/webhook`;
/** Which events, with commas between them. */
export const eventsAnnotation = `${notifyGroup}/events`;
/** Of a policy: another value has a test message sent. */
export const testAnnotation = `${notifyGroup}/test`;
/** Of workloads: a run keeps what its Job had of them. */
export const workloadAnnotations: readonly string[] = [webhookAnnotation, eventsAnnotation];
