import { z } from "zod";
import { duration, text } from "./settings.ts";

const haproxy = z.strictObject({
  type: z.literal("haproxy"),
  program: text("The program that checks a file.").default("haproxy"),
  masterSocket: text("The master's socket, as `haproxy -W -S SOCKET` was told."),
  runtimeSocket: text("The workers' socket; the built-in template makes it."),
});

const commands = z.strictObject({
  type: z.literal("commands"),
  check: z.array(z.string().min(1)).min(1).meta({
    description: "Words of a command that ends with 0 where the file can be used; `{file}` stands for it.",
  }),
  reload: z
    .array(z.string().min(1))
    .min(1)
    .meta({ description: "Words of a command that makes the balancer read its file anew." }),
});

export const router = z
  .strictObject({
    configFile: text("The balancer's configuration file, which is written."),
    balancer: z
      .discriminatedUnion("type", [haproxy, commands])
      .meta({ description: "What balances: HAProxy, or anything that is told by commands." }),
    templateFile: text(
      "A template of your own (Liquid); the built-in one for HAProxy where absent.",
    ).optional(),
    settings: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
      .default({})
      .meta({ description: "Words for the template; the built-in one knows `http_port` and `maxconn`." }),
    tag: text("Services with this tag are routed.").default("lb"),
    services: z
      .array(z.string().min(1))
      .default([])
      .meta({ description: "Services that are routed whatever their tags." }),
    mostRemoved: z.number().min(0).max(1).default(0.5).meta({
      description: "More than this share of a service's servers gone at once is not believed at first.",
    }),
    hold: duration("30s", "How long it is not believed."),
    holdEmpty: duration("5m", "The same where not one server is left."),
    drain: duration("15s", "How long a server that goes gets nobody new before it is let go."),
    reloadInterval: duration("2s", "Between two reloads; two in a row are let through at once."),
  })
  .optional()
  .meta({
    description: "Keeps a load balancer on this machine following Consul's catalog: `docs/router.md`.",
  });

export type RouterConfig = NonNullable<z.output<typeof router>>;
