import { isJsonObject, type Json, suggest } from "@sluice/core";
import { noteOptions } from "./known-options.ts";
import type { Notes, OptionPath } from "./notes.ts";

/** Our name of a git host that sends webhooks. */
export type Webhook = "github" | "gitlab" | "bitbucket" | "bitbucket-server";

/** A duration as the configuration takes it. */
export type Interval = string;

const WEBHOOKS: Readonly<Record<string, Webhook>> = {
  github: "github",
  gitlab: "gitlab",
  bitbucket: "bitbucket",
  stash: "bitbucket-server",
};

/** What a repository's hooks become: webhooks have one address each for all repositories, and the interval is ours. */
export function planHooks(
  hooks: Json | undefined,
  path: OptionPath,
  notes: Notes,
): { webhooks: readonly Webhook[]; interval: Interval | undefined } {
  const webhooks: Webhook[] = [];
  let interval: Interval | undefined;
  if (hooks !== undefined && !Array.isArray(hooks))
    notes.attend(path, "`hooks` must be a list; it is left out");
  for (const [at, hook] of (Array.isArray(hooks) ? hooks : []).entries()) {
    const where = [...path, at];
    if (!isJsonObject(hook)) {
      notes.attend(where, "it is no hook; it is left out");
      continue;
    }
    noteOptions("hook", hook, where, notes);
    const type = String(hook.type);
    const webhook = Object.hasOwn(WEBHOOKS, type) ? WEBHOOKS[type] : undefined;
    if (webhook) webhooks.push(tellWebhook(webhook, where, notes));
    else if (type === "polling") interval = pollingInterval(hook.interval, where, notes) ?? interval;
    else
      notes.attend(
        [...where, "type"],
        `there is no such hook${suggest(type, [...Object.keys(WEBHOOKS), "polling"])}; it is left out`,
      );
  }
  return { webhooks, interval };
}

function tellWebhook(webhook: Webhook, where: OptionPath, notes: Notes): Webhook {
  notes.attend(
    where,
    `webhooks must be signed now: set \`webhooks.${webhook}.secretFile\`, and at the sender the same secret and the address \`http://<engine>:7420/hooks/${webhook}\`; until then the branch is polled`,
  );
  return webhook;
}

/** git2consul counts whole minutes, often written as a text. */
function pollingInterval(given: Json | undefined, where: OptionPath, notes: Notes): Interval | undefined {
  const minutes = typeof given === "string" ? Number.parseInt(given, 10) : given;
  if (typeof minutes === "number" && Number.isFinite(minutes) && minutes > 0)
    return minutes >= 1 ? `${Math.floor(minutes)}m` : `${Math.max(1, Math.round(minutes * 60))}s`;
  notes.attend([...where, "interval"], "must be a number of minutes; the branch is polled every 30 seconds");
  return undefined;
}
