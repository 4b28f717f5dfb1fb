import type { EventBus } from "../events.ts";
import { AGENT_ID } from "../model.ts";
import type { Instance, TaskState } from "./instance.ts";

/** Tells of an instance's new condition: Provisioned, Staging, Starting, Running, Killed, Failed, Finished. */
export function tellCondition(events: EventBus, host: string, instance: Instance, condition: string): void {
  events.emit("instance_changed_event", {
    instanceId: instance.id,
    condition,
    runSpecId: instance.app.id,
    agentId: AGENT_ID,
    host,
    runSpecVersion: instance.app.version,
  });
}

/** Tells of a Mesos status update of a task. */
export function tellStatus(
  events: EventBus,
  host: string,
  instance: Instance,
  state: TaskState,
  message: string,
): void {
  events.emit("status_update_event", {
    slaveId: AGENT_ID,
    taskId: instance.taskId,
    taskStatus: state,
    message,
    appId: instance.app.id,
    host,
    ipAddresses: [{ ipAddress: host, protocol: "IPv4" }],
    ports: instance.ports,
    version: instance.app.version,
  });
}
