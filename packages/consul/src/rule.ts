/** What a token may do with a key; each includes those before it. */
export type Access = "read" | "list" | "write";

/** The rule that allows this for one key, as a policy file spells it. A `key_prefix` that covers the key does as well. */
export function keyRule(key: string, access: Access): string {
  return rule("key", key, access);
}

/** The rule for everything under a prefix. */
export function prefixRule(prefix: string, access: Access): string {
  return rule("key_prefix", prefix, access);
}

/** Sessions are made on the node of the agent that is asked; a narrower rule names that node: `session "NODE"`. */
export const SESSION_RULE = `session_prefix "" { policy = "write" }`;

function rule(kind: string, name: string, access: Access): string {
  return `${kind} ${JSON.stringify(name)} { policy = "${access}" }`;
}
