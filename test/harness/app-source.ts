/** The name that the app is asked for by. */
export const HOST = "shop.example.org";

/** One version of the app. */
export interface AppVersion {
  readonly version: string;
  /** True: it never becomes well. */
  readonly broken?: boolean;
}

/**
 * The files of the app's repository: a web server whose page is its version. As a program should, it goes on serving for a
 * while after it was told to end: those who send it requests need a moment to hear of it.
 */
export function appFiles({ version, broken = false }: AppVersion): Readonly<Record<string, string>> {
  const start = `#!/bin/sh
/bin/httpd -f -p 80 -h /www &
trap 'sleep 3; kill $!; exit 0' TERM
wait
`;
  const ill = "#!/bin/sh\nexit 1\n";
  return { VERSION: `${version}\n`, "index.html": `shop ${version}\n`, start: broken ? ill : start };
}

/** The files of the deploy repo. Its policy is all that the image updater needs to know. */
export function deployFiles(image: string, version: string): Readonly<Record<string, string>> {
  return {
    "deploy.yaml": `images:\n  ${image}: { policy: semver }\n`,
    "services/shop.yaml": `name: shop
services:
  web:
    image: ${image}:${version} # set by Sluice
    ports: [{ target: 80, mode: host }] # the host's port is Docker's choice, so that two may run side by side
    stop_grace_period: 20s
    healthcheck: { test: wget -q -O /dev/null http://127.0.0.1/, interval: 500ms, timeout: 5s, retries: 5 }
    labels:
      SERVICE_NAME: shop
      SERVICE_TAGS: lb
      SERVICE_LB_HOST: ${HOST}
    deploy:
      replicas: 2
      update_config: { order: start-first, parallelism: 1, monitor: 1s, failure_action: rollback }
      rollback_config: { order: start-first, parallelism: 1, monitor: 1s }
`,
  };
}
