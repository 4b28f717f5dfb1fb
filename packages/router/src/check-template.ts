import { type Backend, renderer } from "./render.ts";

const EXAMPLE: Backend = {
  route: {
    service: "example",
    name: "example",
    mode: "http",
    hosts: ["www.example.org"],
    path: "/",
    port: undefined,
    check: "/health",
    sticky: false,
  },
  slots: [
    {
      name: "s1",
      server: { id: "node/example", address: "192.0.2.1", port: 80, weight: 1 },
      draining: false,
    },
    { name: "s2", server: undefined, draining: false },
  ],
};

/** The file that a template makes of one made-up service, so that all of it is gone through. @throws TEMPLATE_INVALID */
export function renderExample(source: string, settings: Readonly<Record<string, unknown>>): string {
  return renderer(source, settings).render([EXAMPLE]).text;
}
