/** Whose events an environment's logs hold. */
export const LOG_ROLES = ["mirror", "deployer"] as const;
export type LogRole = (typeof LOG_ROLES)[number];

/** How far somebody has read each log of an environment. */
export type Cursor = Readonly<Record<LogRole, number>>;

/** Before everything that is kept. */
export const START: Cursor = { mirror: 0, deployer: 0 };

/** `mirror:12,deployer:30`: what a reader names to go on from there. */
export function cursorText(cursor: Cursor): string {
  return LOG_ROLES.map((role) => `${role}:${cursor[role]}`).join(",");
}

/** Undefined where the text is no cursor. */
export function parseCursor(text: string): Cursor | undefined {
  const [, mirror, deployer] = /^mirror:(\d{1,15}),deployer:(\d{1,15})$/.exec(text) ?? [];
  return mirror === undefined ? undefined : { mirror: Number(mirror), deployer: Number(deployer) };
}
