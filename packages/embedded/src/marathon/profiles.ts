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
  /** Whether apps and tasks carry `role`. */
  role: boolean;
  /** Key of the task statistics in an app. */
  statsKey: "taskStats" | "tasksStats";
}

const profiles = {
  "1.10.x": {
    version: "1.10.26",
    shapeErrorStatus: 422,
    maxLaunchDelaySeconds: 300,
    reservedIds: ["restart", "tasks", "versions", ".", ".."],
    incarnations: true,
    unknownRoute: { status: 500, message: "URI not found" },
    role: true,
    statsKey: "tasksStats",
  },
} satisfies Record<string, Profile>;

/** A Marathon version this server can speak as. */
export type ProfileName = keyof typeof profiles;

export function profileOf(name: ProfileName): Profile {
  return profiles[name];
}
