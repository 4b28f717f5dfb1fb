import { describe, expect, it } from "vitest";
import { configSchema } from "../config/schema.ts";
import { chooseRoles } from "./roles.ts";

const embedded = configSchema.parse({});
const real = configSchema.parse({
  consul: { address: "http://consul.example.test:8500" },
  environments: {
    production: { targets: { apps: { type: "marathon", addresses: ["http://marathon.example.test:8080"] } } },
  },
});

describe("the roles of a process", () => {
  it("are everything by default, with embedded servers for what the configuration does not name", () => {
    expect([...chooseRoles([], embedded)]).toEqual([
      "consul",
      "marathon",
      "chronos",
      "mirror",
      "deployer",
      "image-updater",
      "http",
    ]);
    expect([...chooseRoles([], real)]).toEqual(["mirror", "deployer", "image-updater", "http"]);
  });

  it("are the named ones otherwise, and then nothing else is started", () => {
    expect([...chooseRoles(["mirror", "deployer"], embedded)]).toEqual(["mirror", "deployer"]);
  });

  it("suggests a role for one that does not exist", () => {
    expect(() => chooseRoles(["deploy"], embedded)).toThrowError(/did you mean "deployer"/);
  });

  it("refuses an embedded server where a real one is named", () => {
    expect(() => chooseRoles(["consul"], real)).toThrowError(/names real servers/);
  });
});
