import type { EnvName } from "@sluice/core";

/** Where the notifier keeps what it remembers, in the KV. Prefixes end with a slash. */
export interface NoticeLayout {
  memory(environment: EnvName): string;
  /** What is remembered of the logs of services that work for the whole engine. */
  readonly wideMemory: string;
  /** One log for each process that has such services. */
  readonly wideLogs: string;
  /** What waits to be sent through a channel, in the order it was accepted. */
  outbox(channel: string): string;
  /** How far the outcomes of an environment are noted in Git. */
  recorded(environment: EnvName): string;
  readonly lock: string;
  recorderLock(environment: EnvName): string;
}

/** @param prefix of everything Sluice keeps, with or without slashes around it. */
export function noticeLayout(prefix: string): NoticeLayout {
  const top = prefix.replace(/^\/+|\/+$/g, "");
  const above = top === "" ? "" : `${top}/`;
  const root = `${above}notices`;
  return {
    memory: (environment) => `${root}/memory/${environment}`,
    wideMemory: `${root}/wide`,
    wideLogs: `${root}/events/`,
    outbox: (channel) => `${root}/outbox/${channel}/`,
    recorded: (environment) => `${root}/recorded/${environment}`,
    lock: `${above}locks/notifier`,
    recorderLock: (environment) => `${above}locks/${environment}/recorder`,
  };
}
