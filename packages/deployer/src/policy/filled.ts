import {
  DEFAULT_PRUNE_LIMITS,
  encodePath,
  type PruneLimits,
  parseDuration,
  type TargetName,
} from "@sluice/core";
import { defaultsFor, type Policy, type TargetPolicy } from "./policy.ts";
import type { WrittenPolicy, WrittenPrune, WrittenWindows } from "./schema.ts";
import { parseWindow, type Window } from "./windows.ts";

/** What a file that breaks no rule says, with what it leaves out filled in. */
export function policyOf(written: WrittenPolicy, targets: readonly TargetName[]): Policy {
  const general = written.prune;
  return new Map(
    targets.map((name): [TargetName, TargetPolicy] => {
      const settings = written.targets?.[name] ?? {};
      const standard = defaultsFor(name);
      return [
        name,
        {
          folder: folderOf(settings.folder ?? name) ?? standard.folder,
          dependsOn: (settings.dependsOn ?? []) as TargetName[],
          owner: settings.owner,
          prune: limitsOf(settings.prune, limitsOf(general, DEFAULT_PRUNE_LIMITS)),
          graceMs: graceOf(settings.prune) ?? graceOf(general) ?? standard.graceMs,
          waitMs: settings.wait === undefined ? undefined : parseDuration(settings.wait),
          heal: settings.heal,
          suspend: settings.suspend ?? false,
          windows: windowsOf(settings.windows ?? written.windows ?? []),
        },
      ];
    }),
  );
}

function limitsOf(written: WrittenPrune | undefined, standard: PruneLimits | "never"): PruneLimits | "never" {
  if (written === undefined) return standard;
  if (written === "never") return "never";
  const below = standard === "never" ? { maxJobs: 0, maxShare: 0 } : standard;
  return {
    maxJobs: written.maxJobs ?? below.maxJobs,
    maxShare: written.maxPercent === undefined ? below.maxShare : written.maxPercent / 100,
  };
}

function graceOf(written: WrittenPrune | undefined): number | undefined {
  const grace = typeof written === "object" ? written.grace : undefined;
  return grace === undefined ? undefined : parseDuration(grace);
}

function windowsOf(written: WrittenWindows): Window[] {
  return written.flatMap(({ allow, deny, timezone = "UTC" }) => {
    const kind = allow === undefined ? "deny" : "allow";
    return parseWindow(kind, allow ?? deny ?? "", timezone) ?? [];
  });
}

/** As KV keys spell it; undefined where it would lead out of the environment. */
export function folderOf(text: string): string | undefined {
  const plain = text.replace(/^(\.\/)+/, "").replace(/\/+$/, "");
  if (plain === "" || plain === ".") return "";
  try {
    return encodePath(plain);
  } catch {
    return undefined;
  }
}
