import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const REGISTRY_SECRET = "registry-s3cret";
/** What the stand-in for Jenkins takes. */
const CI_TOKEN = "api-token";

/** Files with the secrets that the settings name. */
export interface SecretFiles {
  readonly folder: string;
  readonly token: string;
  readonly registry: string;
}

export async function secretFiles(): Promise<SecretFiles> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-secrets-"));
  const [token, registry] = [join(folder, "token"), join(folder, "registry")];
  await Promise.all([writeFile(token, `${CI_TOKEN}\n`), writeFile(registry, `${REGISTRY_SECRET}\n`)]);
  return { folder, token, registry };
}

/** What the engine's `sluice.yaml` says of builds, of the registry, and of who is told. */
export function engineSettings(options: {
  readonly app: string;
  readonly ci: string;
  readonly listener: string;
  readonly secrets: SecretFiles;
}): object {
  const { app, ci: url, listener, secrets } = options;
  const ci = { type: "jenkins", url, job: "team/shop", username: "robot", tokenFile: secrets.token };
  const team = { type: "webhook", url: listener, perMinute: 600 };
  return {
    builds: { [app]: { branches: ["main"], ci } },
    webhooks: { registry: { secretFile: secrets.registry } },
    notify: { channels: { team }, routes: [{ to: ["team"] }], gather: "500ms" },
  };
}

/** Where the registry tells of what is pushed. */
export function registryEndpoint(engine: string) {
  return { url: `${engine}/hooks/registry`, authorization: `Bearer ${REGISTRY_SECRET}` };
}
