import { access, mkdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { SluiceError } from "@sluice/core";
import { GLYPH } from "../../text/glyphs.ts";
import type { CliContext, ExitCode } from "../context.ts";

const CONFIG = `# Sluice's configuration; every setting with its default is in docs/config.md.
# As it stands, everything runs on this machine: \`sluice up\`. Lines without a blank after # are settings to take up.
# \`sluice doctor\` looks whether what is named here answers.

# What the engine keeps on this machine.
dataDir: .sluice

http:
  host: 127.0.0.1
  port: 7420

# The Consul to use. Without this, an embedded one, kept in the data folder.
#consul:
#  address: http://127.0.0.1:8500
#  tokenFile: /etc/sluice/consul.token

environments:
  production:
    # The deploy repo. Without \`repository\`, the engine keeps one itself and serves it as /deploy.git.
    source:
      #repository: https://git.example.com/platform/deploy.git
      branch: main
    # Where jobs run. A target's job files are in the folder of its name.
    targets:
      apps:
        type: marathon
        # Without addresses, an embedded Marathon that runs commands as local processes.
        #addresses: [http://marathon.example.com:8080]
      cron:
        type: chronos
        #addresses: [http://chronos.example.com:4400]
      # Docker Swarm, of this machine where no address is given: docs/swarm.md.
      #services:
      #  type: swarm

# Git hosts and image registries that tell of pushes: docs/webhooks.md, docs/images.md.
#webhooks:
#  github: { secretFile: /etc/sluice/github.secret }
#  registry: { secretFile: /etc/sluice/registry.secret }

# Apps whose pushes begin a build: docs/builds.md.
#builds:
#  shop:
#    ci:
#      type: jenkins
#      url: https://ci.example.com/
#      job: team/shop
#      username: sluice
#      tokenFile: /etc/sluice/jenkins.token

# In whose name Sluice commits image versions, rollbacks and promotions: docs/images.md.
#commits: { name: Sluice, email: sluice@example.com }

# This machine's containers in Consul's catalog: docs/registrar.md.
#registrar:
#  address: 10.0.0.5

# A load balancer on this machine that follows the catalog: docs/router.md.
#router:
#  configFile: /etc/haproxy/haproxy.cfg
#  settings: { http_port: 80 }
#  balancer:
#    type: haproxy
#    masterSocket: /run/haproxy-master.sock
#    runtimeSocket: /run/haproxy.sock

# Who is told what happens: docs/notifications.md.
#notify:
#  channels:
#    team: { type: slack, urlFile: /etc/sluice/slack.url }
#  routes:
#    - { to: [team], severity: warning }
`;

const POLICY = `# What this deploy repo says of its targets; all of it is optional.
targets:
  apps:
    prune: { maxJobs: 5, maxPercent: 20 }
`;

const HELLO = `# A long-running job, in Marathon's own format. What only Sluice reads stands under \`sluice:\`.
id: /hello
cmd: exec node -e 'require("http").createServer((q, s) => s.end("hello from sluice\\n")).listen(process.env.PORT0)'
instances: 1
cpus: 0.1
mem: 64
portDefinitions:
  - port: 0
    name: http
healthChecks:
  - protocol: HTTP
    path: /
    portIndex: 0
    intervalSeconds: 2
    timeoutSeconds: 2
    gracePeriodSeconds: 30
sluice:
  wait: 60s
`;

const FILES: readonly (readonly [path: string, text: string])[] = [
  ["sluice.yaml", CONFIG],
  ["deploy/deploy.yaml", POLICY],
  ["deploy/apps/hello.yaml", HELLO],
];

/** `sluice init [FOLDER]`: a commented configuration and the first files of a deploy repo. Never overwrites anything. */
export async function init(path: string, context: CliContext): Promise<ExitCode> {
  const folder = resolve(context.cwd, path);
  for (const [name] of FILES) {
    const taken = await access(join(folder, name)).then(
      () => true,
      () => false,
    );
    if (taken) throw new SluiceError("USAGE", `${join(folder, name)} exists already; nothing was written`);
  }
  for (const [name, text] of FILES) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text, { flag: "wx" });
    context.out(`${GLYPH.done} ${name}\n`);
  }
  context.out(`${GLYPH.begin} next: \`sluice up\` here, then in another terminal:\n`);
  context.out("    cd deploy && git init -b main && git add . && git commit -m 'first job'\n");
  context.out("    git push http://127.0.0.1:7420/deploy.git main\n");
  return 0;
}
