import { describe, expect, it } from "vitest";
import { pushedImages } from "./pushed-images.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
const MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
const at = "2026-11-21T10:00:00.000Z";

/** As Docker's registry sends it. */
function event(target: object, more: object = {}) {
  return {
    id: "320678d8-ca14-430f-8bb6-4ca139cd83f7",
    timestamp: "2026-11-21T10:00:00Z",
    action: "push",
    target: {
      mediaType: MANIFEST,
      digest: DIGEST,
      size: 708,
      repository: "shop/web",
      tag: "1.4.2",
      ...target,
    },
    request: { id: "6df24a34", addr: "10.0.0.7:43960", host: "registry.example:5000", method: "PUT" },
    actor: { name: "ci" },
    source: { addr: "registry:5000" },
    ...more,
  };
}
const read = (...events: object[]) => pushedImages({ events }, undefined);

describe("a notification of Docker's registry", () => {
  it("names the image, the tag, the digest, when and who", () => {
    expect(read(event({}))).toEqual([
      {
        name: "registry.example:5000/shop/web",
        said: { tag: "1.4.2", digest: DIGEST, at, by: "the registry, pushed by ci" },
      },
    ]);
  });

  it("is of the registry by the name the configuration gives it", () => {
    expect(pushedImages({ events: [event({})] }, "images.example")?.map(({ name }) => name)).toEqual([
      "images.example/shop/web",
    ]);
  });

  it.each([
    ["a pull", event({}, { action: "pull" })],
    ["a deletion", event({}, { action: "delete" })],
    ["a layer", event({ mediaType: "application/octet-stream", tag: undefined })],
    ["a manifest of one architecture, without a tag", event({ tag: undefined })],
    ["a name that is none", event({ repository: "Shop/../web" })],
    ["no repository", event({ repository: undefined })],
  ])("that is of %s says nothing, and hides nothing beside it", (_, other) => {
    expect(read(other, event({ tag: "2.0.0" }))?.map(({ said }) => said.tag)).toEqual(["2.0.0"]);
  });
});

it("reads what Docker Hub sends", () => {
  const body = {
    callback_url:
      "https://registry.hub.docker.com/u/svendowideit/testhook/hook/2141b5bi5i5b02bec211i4eeih0242eg11000a/",
    push_data: { pushed_at: 1_795_255_200, pusher: "trustedbuilder", tag: "1.4.2", images: [] },
    repository: {
      name: "testhook",
      namespace: "svendowideit",
      repo_name: "svendowideit/testhook",
      status: "Active",
    },
  };
  expect(pushedImages(body, undefined)).toEqual([
    {
      name: "docker.io/svendowideit/testhook",
      said: { tag: "1.4.2", at, by: "Docker Hub, pushed by trustedbuilder" },
    },
  ]);
});

it("reads what Harbor sends", () => {
  const body = {
    type: "PUSH_ARTIFACT",
    occur_at: 1_795_255_200,
    operator: "admin",
    event_data: {
      resources: [{ digest: DIGEST, tag: "1.4.2", resource_url: "harbor.example:8443/shop/web:1.4.2" }],
      repository: { name: "web", namespace: "shop", repo_full_name: "shop/web", repo_type: "private" },
    },
  };
  expect(pushedImages(body, undefined)).toEqual([
    {
      name: "harbor.example:8443/shop/web",
      said: { tag: "1.4.2", digest: DIGEST, at, by: "Harbor, pushed by admin" },
    },
  ]);
  expect(pushedImages({ ...body, type: "DELETE_ARTIFACT" }, undefined)).toEqual([]);
});

it("reads what Quay sends", () => {
  const body = {
    name: "repository",
    repository: "mynamespace/repository",
    namespace: "mynamespace",
    docker_url: "quay.io/mynamespace/repository",
    homepage: "https://quay.io/repository/mynamespace/repository",
    updated_tags: ["latest", "1.4.2"],
  };
  expect(pushedImages(body, undefined)).toEqual([
    { name: "quay.io/mynamespace/repository", said: { tag: "latest", by: "Quay" } },
    { name: "quay.io/mynamespace/repository", said: { tag: "1.4.2", by: "Quay" } },
  ]);
});

it.each([[undefined], [null], ["text"], [[]], [{}], [{ events: "all" }]])(
  "takes %j for nothing of a registry",
  (body) => {
    expect(pushedImages(body, undefined)).toBeUndefined();
  },
);
