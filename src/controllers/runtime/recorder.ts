/** Where controllers look for the recorder of Events; agents and the scheduler use the same one. */
export { createEventRecorder, type EventRecorder, type EventToRecord } from "../../client/recorder.ts";
