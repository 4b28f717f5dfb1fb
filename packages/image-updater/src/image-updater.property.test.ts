import { type EnvName, type ErrorCode, SluiceError } from "@sluice/core";
import { manualClock, memoryKv, recordingSink } from "@sluice/core/testing";
import fc from "fast-check";
import { compare } from "semver";
import { expect, it } from "vitest";
import { announce } from "./announce.ts";
import { imageUpdater } from "./image-updater.ts";
import { memoryRepository } from "./testing/memory-repository.ts";

const IMAGE = "registry.example/shop/web";

/** What can happen between two looks at the clock. */
type Deed =
  | { readonly kind: "announce"; readonly tag: string }
  | { readonly kind: "overwrite"; readonly tag: string }
  | { readonly kind: "person" }
  | { readonly kind: "race" }
  | { readonly kind: "lost-push"; readonly phase: "before" | "after" }
  | { readonly kind: "kv"; readonly code: `${"" | "after:"}KV_UNREACHABLE`; readonly calls: number }
  | { readonly kind: "crash" }
  | { readonly kind: "wait"; readonly ms: number };

const tag = fc
  .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 9 }))
  .map(([minor, patch]) => `1.${minor}.${patch}`);
const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 4, arbitrary: tag.map((one) => ({ kind: "announce" as const, tag: one })) },
  { weight: 1, arbitrary: tag.map((one) => ({ kind: "overwrite" as const, tag: one })) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 4000 }).map((ms) => ({ kind: "wait" as const, ms })) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("kv" as const),
      code: fc.constantFrom("KV_UNREACHABLE" as const, "after:KV_UNREACHABLE" as const),
      calls: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("lost-push" as const),
      phase: fc.constantFrom("before" as const, "after" as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      { kind: "person" as const },
      { kind: "race" as const },
      { kind: "crash" as const },
    ),
  },
);

it("ends at the newest version that was announced, never goes back, and writes none twice, whatever fails", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { minLength: 1, maxLength: 25 }), async (deeds) => {
      const kv = memoryKv();
      const clock = manualClock();
      const repository = memoryRepository({
        "deploy.yaml": `images: { ${IMAGE}: { policy: semver } }\n`,
        "web.yaml": `image: ${IMAGE}:1.0.0\n`,
      });
      const ever = new Set(["1.0.0"]);
      let heard = ["1.0.0"];
      let notes = 0;
      let stop = new AbortController();
      let running = Promise.resolve();
      const start = () => {
        stop = new AbortController();
        const { source, committer } = repository;
        const options = {
          source,
          committer,
          kv,
          prefix: "sluice",
          clock,
          events: recordingSink(),
          holder: "test",
        };
        const updater = imageUpdater({ ...options, environment: "e" as EnvName, random: () => 0.5 });
        running = updater.run(stop.signal);
      };
      start();
      for (const one of deeds) {
        if ("tag" in one) ever.add(one.tag);
        if (one.kind === "announce") {
          const fault = kv.fault;
          kv.fault = undefined;
          await announce({ kv, prefix: "sluice", clock }, IMAGE, { tag: one.tag });
          kv.fault = fault;
          heard.push(one.tag);
        } else if (one.kind === "overwrite") {
          // As curl does: what was announced before and is in no commit yet is nowhere any more.
          kv.set(`sluice/images/${IMAGE}`, one.tag);
          heard = [one.tag, ...repository.commits.map(({ edits }) => versionIn(edits["web.yaml"])), "1.0.0"];
        } else if (one.kind === "person") repository.push({ [`note-${notes++}`]: "x" });
        else if (one.kind === "wait") await clock.advance(one.ms);
        else if (one.kind === "crash") {
          stop.abort();
          await running;
          start();
        } else if (one.kind === "race")
          repository.fault = (phase) => {
            if (phase === "before") repository.push({ [`note-${notes++}`]: "x" });
            repository.fault = undefined;
          };
        else if (one.kind === "lost-push")
          repository.fault = (phase) => {
            if (phase !== one.phase) return;
            repository.fault = undefined;
            throw new SluiceError("GIT_FAILED", "the connection broke");
          };
        else {
          let left = one.calls;
          kv.fault = () => (left-- > 0 ? (one.code as ErrorCode) : undefined);
        }
      }
      kv.fault = undefined;
      for (let round = 0; round < 12; round++) await clock.advance(10_000);
      stop.abort();
      await running;
      const written = repository.commits.map(({ edits }) => versionIn(edits["web.yaml"]));
      const newest = heard.sort(compare).at(-1) ?? "";
      const last = versionIn(await repository.text("web.yaml"));
      // What was overwritten may have been seen in time.
      if (deeds.some(({ kind }) => kind === "overwrite"))
        expect([ever.has(last), compare(last, newest)]).toEqual([true, last === newest ? 0 : 1]);
      else expect(last).toBe(newest);
      expect(written).toEqual([...new Set(written)].sort(compare));
    }),
    { numRuns: 200 },
  );
});

function versionIn(text: string | undefined): string {
  return /:(\d[\d.]*)\n$/.exec(text ?? "")?.[1] ?? "";
}
