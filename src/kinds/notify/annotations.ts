import { notifyGroup } from "./notificationpolicy.ts";

/** Enables notifications: the name of a Secret with a webhook's `url`, and optionally a signing `key`. */
export const webhookAnnotation = `${notifyGroup}/webhook`;
/** The events, separated by commas. */
export const eventsAnnotation = `${notifyGroup}/events`;
/** On a policy: a new value sends a test message. */
export const testAnnotation = `${notifyGroup}/test`;
/** On workloads: a run keeps its Job's values. */
export const workloadAnnotations: readonly string[] = [webhookAnnotation, eventsAnnotation];
