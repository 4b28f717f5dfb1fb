import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** One rule of a policy file. */
export interface Rule {
  /** `key_prefix "sluice/production/files/"`. */
  readonly subject: string;
  /** What it is about: a key, a prefix; empty for all sessions. */
  readonly name: string;
  readonly text: string;
}

/** The rules of `docs/acl/NAME.hcl`, for an environment of the given name. */
export function policyRules(name: string, environment: string): readonly Rule[] {
  const file = fileURLToPath(new URL(`../../docs/acl/${name}.hcl`, import.meta.url));
  const text = readFileSync(file, "utf8").replaceAll(/\/(production|preview)(?=[/-])/g, `/${environment}`);
  const lines = text.split("\n");
  return lines.flatMap((text) => {
    if (text === "" || text.startsWith("#")) return [];
    const found =
      /^((?:key|(?:key|session|service|node)_prefix) "([^"]*)") \{ policy = "(?:read|list|write)" \}$/.exec(
        text,
      );
    if (!found) throw new Error(`${file}: not a rule: ${text}`);
    return [{ subject: found[1] ?? "", name: found[2] ?? "", text }];
  });
}

/** Consul's configuration for rules in force: what no rule allows is refused. */
export function denyAll(master: string, more: object = {}): Record<string, unknown> {
  // The agent registers its own node with the master token; nobody else gets a token they did not bring.
  return { acl: { enabled: true, default_policy: "deny", tokens: { master, agent: master }, ...more } };
}

/** Makes a token with exactly these rules. */
export async function tokenFor(
  address: string,
  master: string,
  name: string,
  rules: readonly Rule[],
): Promise<string> {
  return (await changeableToken(address, master, name, rules)).secret;
}

/** A token whose rules can be others later. */
export interface ChangeableToken {
  readonly secret: string;
  change(rules: readonly Rule[]): Promise<void>;
}

export async function changeableToken(
  address: string,
  master: string,
  name: string,
  rules: readonly Rule[],
): Promise<ChangeableToken> {
  const policy = (given: readonly Rule[]) => ({
    Name: name,
    Rules: given.map(({ text }) => text).join("\n"),
  });
  const { ID } = await create<{ ID: string }>(address, master, "policy", policy(rules));
  const token = await create<{ SecretID: string }>(address, master, "token", { Policies: [{ ID }] });
  return {
    secret: token.SecretID,
    async change(next) {
      await create(address, master, `policy/${ID}`, { ID, ...policy(next) });
    },
  };
}

async function create<T>(address: string, master: string, what: string, body: object): Promise<T> {
  const headers = { "x-consul-token": master };
  const answer = await fetch(`${address}/v1/acl/${what}`, {
    method: "PUT",
    headers,
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${what}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}
