const LABEL = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?";
const SEGMENT = `${LABEL}(?:\\.${LABEL})*`;
const ABSOLUTE_OR_PLAIN = new RegExp(`^/?${SEGMENT}(?:/${SEGMENT})*$`);
const ABSOLUTE = new RegExp(`^(?:/${SEGMENT})+$`);

/** Marathon 1.8 and later refuse these as an id's last segment. */
const RESERVED = ["restart", "tasks", "versions"];

export const RESERVED_WORDS = "must not end in restart, tasks or versions, which are routes of Marathon";

export const ID_WORDS =
  "must be path segments of lower-case letters, digits, inner hyphens and dots, as in shop/web";

/** Whether a text is an app id in its one spelling: no empty, `.` or `..` segments, with or without the leading slash. */
export function isAppId(text: string): boolean {
  return ABSOLUTE_OR_PLAIN.test(text);
}

/** Whether a text is the absolute path of an app or group. */
export function isAbsolutePath(text: string): boolean {
  return ABSOLUTE.test(text);
}

/** Whether Marathon keeps the id's last segment for its own routes. */
export function isReserved(id: string): boolean {
  return RESERVED.includes(id.slice(id.lastIndexOf("/") + 1));
}

/** `shop/web` → `/shop/web`. */
export function absoluteId(id: string): string {
  return id.startsWith("/") ? id : `/${id}`;
}
