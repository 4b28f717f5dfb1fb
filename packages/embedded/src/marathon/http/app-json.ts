import type { App } from "../model.ts";
import type { Profile } from "../profiles.ts";

/** An app's definition as GET of a version shows it. */
export function appJson(_profile: Profile, app: App): Record<string, unknown> {
  return { ...app };
}
