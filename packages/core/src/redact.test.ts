import { describe, expect, it } from "vitest";
import type { Json } from "./model/json.ts";
import { MASK, maskField, redact, secretValues } from "./redact.ts";

describe("maskField", () => {
  it.each([
    "env.LOG_LEVEL",
    "env",
    "container.docker.env[0]",
    "environmentVariables",
    "TaskTemplate.ContainerSpec.Env",
    "labels.dbPassword",
    "labels.API_KEY",
    "labels.api-key",
    "private_key",
    "labels.githubToken",
    "labels.HAPROXY_0_AUTH",
    "container.docker.parameters.0.value",
    "container.parameters[1]",
  ])("masks both sides of %s", (path) => {
    expect(maskField({ path, from: "old-value", to: ["new-value", { a: 1, b: null }] })).toEqual({
      path,
      from: MASK,
      to: [MASK, { a: MASK, b: MASK }],
    });
  });

  it.each(["container.docker.image", "instances", "labels.environs", "envelope"])("shows %s", (path) => {
    expect(maskField({ path, from: "1.4.1", to: 2 })).toEqual({ path, from: "1.4.1", to: 2 });
  });

  it("leaves a missing side away", () => {
    expect(maskField({ path: "env.A", to: "secret" })).toEqual({ path: "env.A", to: MASK });
    expect(maskField({ path: "cmd", from: "run" })).toEqual({ path: "cmd", from: "run" });
  });

  it.each<[Json, Json]>([
    [
      { env: { A: "s" }, cmd: "run" },
      { env: { A: MASK }, cmd: "run" },
    ],
    [[{ docker: { password: "s", image: "i" } }], [{ docker: { password: MASK, image: "i" } }]],
    [
      [
        { key: "env", value: "DB=s" },
        { key: "label", value: "v" },
      ],
      [
        { key: "env", value: MASK },
        { key: "label", value: "v" },
      ],
    ],
    [
      { name: "DB_PASSWORD", value: "s" },
      { name: "DB_PASSWORD", value: MASK },
    ],
    [{ uris: ["https://u:p@host/a"] }, { uris: [`https://${MASK}@host/a`] }],
    [
      ["./run", "--db-password", "s3cret", "--token=s3cret", "-v"],
      ["./run", "--db-password", MASK, `--token=${MASK}`, "-v"],
    ],
    [{ cmd: "PGPASSWORD=s3cret ./run" }, { cmd: `PGPASSWORD=${MASK} ./run` }],
    [
      { a: null, b: 3, c: false },
      { a: null, b: 3, c: false },
    ],
  ])("of the value %j shows %j", (to, shown) => {
    expect(maskField({ path: "container", to })).toEqual({ path: "container", to: shown });
  });
});

describe("redact", () => {
  it.each([
    ["fetch https://user:pass@host/x failed", `fetch https://${MASK}@host/x failed`],
    ["https://token@host", `https://${MASK}@host`],
    ["https://user:p@ss@host/x", `https://${MASK}@host/x`],
    ["git+ssh://u:p@h and HTTP://a:b@c", `git+ssh://${MASK}@h and HTTP://${MASK}@c`],
    ["https://host/a@b and mail a@b.test", "https://host/a@b and mail a@b.test"],
    ["https://host?x=a@b", "https://host?x=a@b"],
    ["./run --password=hunter2 --port=80", `./run --password=${MASK} --port=80`],
    ["./run --api-key 'a b' -v", `./run --api-key ${MASK} -v`],
    ['["--password","a b","-v"]', `["--password",${MASK},"-v"]`],
    ["?access_token=abc&x=1", `?access_token=${MASK}&x=1`],
    ['{"dbPassword": "a b", "x": 1}', `{"dbPassword": ${MASK}, "x": 1}`],
    ["Authorization: Bearer abc.def", `Authorization: Bearer ${MASK}`],
    ["authorization: token=abc", `authorization: ${MASK}`],
    ["env.DB_PASSWORD: must be a text", "env.DB_PASSWORD: must be a text"],
    ["the token file cannot be read", "the token file cannot be read"],
  ])("of %j leaves %j", (text, clean) => {
    expect(redact(text)).toBe(clean);
  });

  it("takes out every given secret wherever it stands, the longer of two first", () => {
    expect(redact("x abcd y abcdef z abcd", ["abcd", "abcdef"])).toBe(`x ${MASK} y ${MASK} z ${MASK}`);
  });

  it("leaves secrets of three characters or fewer, which are in too many words", () => {
    expect(redact("abc abcd", ["abc", ""])).toBe("abc abcd");
  });

  it("takes a secret for text, not for a pattern", () => {
    expect(redact("a.*b aXXb $&", ["a.*b"])).toBe(`${MASK} aXXb $&`);
  });
});

describe("secretValues", () => {
  it("finds every text that a masked difference hides, and nothing else", () => {
    const job = {
      id: "/web",
      cmd: "./run --password=in-cmd --port=80",
      args: ["--token", "in-args", "plain"],
      env: { LEVEL: "in-env", FROM: { secret: "in-reference" } },
      labels: { team: "shop", dbPassword: "in-label" },
      fetch: [{ uri: "https://user:in-uri@host/x" }],
      container: { docker: { image: "web:1", parameters: [{ key: "env", value: "in-parameter" }] } },
      instances: 3,
    };
    expect([...secretValues(job)].sort()).toEqual(
      [
        "in-args",
        "in-cmd",
        "in-env",
        "in-label",
        "in-parameter",
        "in-reference",
        "in-uri",
        "user:in-uri",
      ].sort(),
    );
  });
});
