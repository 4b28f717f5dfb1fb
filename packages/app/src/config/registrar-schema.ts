import { z } from "zod";
import { duration, text, tls } from "./settings.ts";

export const registrar = z
  .strictObject({
    docker: text("The Docker engine: `unix:///path`, `tcp://host:port`, `http://…` or `https://…`.").default(
      "unix:///var/run/docker.sock",
    ),
    ...tls,
    agent: z
      .url({ protocol: /^https?$/ })
      .optional()
      .meta({ description: "The Consul agent of this machine, where `consul.address` is another's." }),
    node: text(
      "This machine's name, the first part of every service's id; the host name where absent.",
    ).optional(),
    address: text(
      "Where this machine's published ports are reached; its first address that is no loopback where absent.",
    ).optional(),
    internal: z
      .boolean()
      .default(false)
      .meta({ description: "Registers containers at their own address and inner port." }),
    explicit: z
      .boolean()
      .default(false)
      .meta({ description: "Registers only containers that set SERVICE_NAME." }),
    tags: z.array(z.string().min(1)).default([]).meta({ description: "Tags of every service." }),
    interval: duration("30s", "Time between two looks when Docker tells nothing."),
    deregisterOnStop: z
      .boolean()
      .default(false)
      .meta({ description: "What is registered goes when the registrar is stopped." }),
  })
  .optional()
  .meta({ description: "Puts this machine's containers into Consul's catalog: `docs/registrar.md`." });

export type RegistrarConfig = NonNullable<z.output<typeof registrar>>;
