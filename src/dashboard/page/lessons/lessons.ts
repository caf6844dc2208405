import deployment from "../../../../examples/lessons/1-deployment.yaml";
import statefulSet from "../../../../examples/lessons/2-statefulset.yaml";
import daemonSet from "../../../../examples/lessons/3-daemonset.yaml";
import job from "../../../../examples/lessons/4-job.yaml";
import cronJob from "../../../../examples/lessons/5-cronjob.yaml";
import type { Lesson } from "./lesson.ts";

/** In the order in which they are learnt. */
export const lessons: readonly Lesson[] = [deployment, statefulSet, daemonSet, job, cronJob];
