/** What differs between Marathon versions, as data. */
export interface Profile {
  /** What `/v2/info` says. */
  version: string;
  /** Status of an answer to JSON of the wrong shape. */
  shapeErrorStatus: number;
  maxLaunchDelaySeconds: number;
  /** Words the last segment of an id may not be. */
  reservedIds: readonly string[];
  /** Whether task ids end in `.<incarnation>`. */
  incarnations: boolean;
  /** Answer to a route that does not exist; `%s` stands for the path. */
  unknownRoute: { status: number; message: string };
  /** Whether apps and tasks carry `role`, and groups may enforce it. */
  role: boolean;
  /** Key of the task statistics in an app. */
  statsKey: "taskStats" | "tasksStats";
  /** Whether apps are shown in the form before 1.5: `ports`, `uris`, `ipAddress`, `docker.network`, nulls and empty lists. */
  legacyShape: boolean;
  /** Keys of an app that this version does not know yet; they are ignored silently. */
  unknownFields: readonly string[];
  /** Keys of a health check that this version does not know yet. */
  unknownCheckFields: readonly string[];
  /** Whether deployment events hold the apps before and after: always, unless the subscriber declines, or never. */
  planFormat: "full" | "optional" | "light";
  /** Whether `deployment_failed` has a reason. */
  failureReason: boolean;
  /** Whether `/v2/eventSubscriptions` exists, refusing for want of a callback subscriber. */
  eventSubscriptions: boolean;
}

const RESERVED = ["restart", "tasks", "versions", ".", ".."];

const v110: Profile = {
  version: "1.10.26",
  shapeErrorStatus: 422,
  maxLaunchDelaySeconds: 300,
  reservedIds: RESERVED,
  incarnations: true,
  unknownRoute: { status: 500, message: "URI not found" },
  role: true,
  statsKey: "tasksStats",
  legacyShape: false,
  unknownFields: [],
  unknownCheckFields: [],
  planFormat: "light",
  failureReason: true,
  eventSubscriptions: false,
};

const v18: Profile = {
  ...v110,
  version: "1.8.222",
  role: false,
  statsKey: "taskStats",
  unknownFields: ["resourceLimits", "role"],
};

const v16: Profile = {
  ...v18,
  version: "1.6.567",
  maxLaunchDelaySeconds: 3600,
  reservedIds: [],
  incarnations: false,
  unknownFields: [...v18.unknownFields, "check"],
  planFormat: "optional",
};

const v15: Profile = {
  ...v16,
  version: "1.5.6",
  unknownRoute: { status: 404, message: "URI not found: %s" },
  unknownFields: [...v16.unknownFields, "executorResources"],
  unknownCheckFields: ["ipProtocol"],
  planFormat: "full",
  failureReason: false,
};

const v14: Profile = {
  ...v15,
  version: "1.4.11",
  shapeErrorStatus: 400,
  legacyShape: true,
  unknownFields: [...v15.unknownFields, "networks", "tty"],
  unknownCheckFields: [...v15.unknownCheckFields, "delaySeconds"],
  eventSubscriptions: true,
};

const profiles = { "1.4.x": v14, "1.5.x": v15, "1.6.x": v16, "1.8.x": v18, "1.10.x": v110 };

/** A Marathon version this server can speak as. */
export type ProfileName = keyof typeof profiles;

/** @throws an Error naming the known ones. */
export function profileOf(name: ProfileName): Profile {
  const profile = profiles[name];
  if (profile === undefined)
    throw new Error(`Marathon has no profile "${name}"; known: ${Object.keys(profiles).join(", ")}`);
  return profile;
}
