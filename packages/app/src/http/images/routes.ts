import { encodePath, isSluiceError, SluiceError } from "@sluice/core";
import {
  type Announced,
  announce,
  canonicalName,
  decodeMarks,
  encodeMarks,
  type ImageView,
  isImageName,
  POLICY_FILE,
  surveyImages,
  TAG,
  withoutPin,
  withPin,
} from "@sluice/image-updater";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Environment } from "../../engine/environment.ts";
import { openCommitter } from "../../engine/repository.ts";
import { NOBODY } from "../commits/bodies.ts";
import { authorOf } from "../commits/routes.ts";
import type { HttpContext } from "../context.ts";
import { parsed } from "../controls/routes.ts";
import { findEnvironment } from "../find.ts";

const by = z
  .string()
  .regex(/^[^<>\p{Cc}]{1,100}$/u, "must be a name without <, > and control characters")
  .default(NOBODY);
const image = z.string().refine(isImageName, "must be an image's name, without tag and digest");
const tag = z.string().regex(TAG, "must be an image's tag");
const announcement = z.strictObject({
  image,
  tag: z.string().optional(),
  digest: z.string().optional(),
  at: z.string().optional(),
  by,
});
const pin = z.strictObject({ image, tag, by, why: z.string().trim().min(1).max(500).optional() });
const unpin = pin.omit({ tag: true });

/** The images of an environment. */
export interface ImagesView {
  readonly images: readonly ImageView[];
  readonly problems: readonly string[];
}

/** What a pin, or taking it off, did; `commit` is absent where Git said so already. */
export interface PinView {
  readonly image: string;
  readonly commit?: string;
  /** An update was held back because a person went back from it, and is not any more. */
  readonly released: boolean;
}

type Route = { Params: { name: string } };

/** Images that CI announces, and people's pins, which are commits. */
export function imageRoutes(app: FastifyInstance, context: HttpContext): void {
  const { environments, kv, clock, config, signal } = context;

  app.post("/api/v1/images", async ({ body }) => {
    const { image: name, ...said } = parsed(announcement, body);
    return announce({ kv, clock, prefix: config.prefix }, name, said as Announced, signal);
  });

  app.get<Route>("/api/v1/environments/:name/images", async ({ params }): Promise<ImagesView> => {
    const environment = findEnvironment(environments, params.name);
    const source = await environment.openSource();
    try {
      const head = await source.head(signal);
      if (!head) return { images: [], problems: [] };
      const { layout } = environment;
      const { images, problems } = await surveyImages({ source, head, kv, layout }, signal);
      return {
        images,
        problems: problems.map(({ file, line, message }) => `${file}:${line ?? 1}: ${message}`),
      };
    } finally {
      await source.close();
    }
  });

  app.post<Route>("/api/v1/environments/:name/images/pin", async ({ params, body }): Promise<PinView> => {
    const { image: name, tag: to, ...how } = parsed(pin, body);
    const environment = findEnvironment(environments, params.name);
    const change = (text: string | undefined) => withPin(text, name, to);
    const commit = await editPolicy(
      environment,
      { change, subject: `Pin ${name} to ${to}`, ...how },
      context,
    );
    return { image: name, ...(commit ? { commit } : {}), released: false };
  });

  app.post<Route>("/api/v1/environments/:name/images/unpin", async ({ params, body }): Promise<PinView> => {
    const { image: name, ...how } = parsed(unpin, body);
    const environment = findEnvironment(environments, params.name);
    const change = (text: string | undefined) => text && withoutPin(text, name);
    const commit = await editPolicy(environment, { change, subject: `Unpin ${name}`, ...how }, context);
    return { image: name, ...(commit ? { commit } : {}), released: await forget(environment, name, context) };
  });
}

interface PolicyEdit {
  /** Undefined: nothing is to change. */
  readonly change: (text: string | undefined) => string | undefined;
  readonly subject: string;
  readonly by: string;
  readonly why?: string | undefined;
}

/** Races with pushes that are tried again before a person is told. */
const MOST_TRIES = 5;

async function editPolicy(
  environment: Environment,
  { change, subject, by: who, why }: PolicyEdit,
  context: HttpContext,
): Promise<string | undefined> {
  const { signal } = context;
  const [source, committer] = await Promise.all([
    environment.openSource(),
    openCommitter(environment, context),
  ]);
  const author = authorOf(who);
  try {
    for (let tries = 1; ; tries++) {
      const parent = await source.head(signal);
      if (!parent) throw new SluiceError("NOT_FOUND", `the branch ${source.branch} does not exist yet`);
      const file = (await source.tree(parent, signal)).find(({ path }) => path === POLICY_FILE);
      let text: string | undefined;
      for await (const bytes of source.blobs.read(file ? [file.oid] : [], signal))
        text = Buffer.from(bytes).toString("utf8");
      const after = change(text);
      if (after === undefined || after === text) return undefined;
      const edits = [{ path: encodePath(POLICY_FILE), content: Buffer.from(after) }];
      const message = why ? `${subject}\n\n${why}\n` : `${subject}\n`;
      try {
        return await committer.commit({ parent, edits, message, ...author }, signal);
      } catch (error) {
        if (!isSluiceError(error, "GIT_CONFLICT") || tries >= MOST_TRIES) throw error;
      }
    }
  } finally {
    await Promise.all([source.close(), committer.close()]);
  }
}

/** Forgets which version a person went back from, so that the newest counts again. */
async function forget({ layout }: Environment, name: string, { kv, signal }: HttpContext): Promise<boolean> {
  for (let tries = 1; ; tries++) {
    const entry = await kv.get(layout.imageMarks, signal);
    const { marks, pending } = decodeMarks(entry);
    const canonical = canonicalName(name);
    if (!entry || (!marks[canonical] && !pending?.marks[canonical])) return false;
    const value = encodeMarks({
      marks: without(marks, canonical),
      ...(pending ? { pending: { ...pending, marks: without(pending.marks, canonical) } } : {}),
    });
    const op = { verb: "cas", key: layout.imageMarks, value, index: entry.modifyIndex } as const;
    if ((await kv.commit([op], {}, signal)).applied) return true;
    if (tries >= MOST_TRIES)
      throw new SluiceError("KV_UNREACHABLE", `${layout.imageMarks} is written by others`);
  }
}

function without<T>(all: Readonly<Record<string, T>>, name: string): Record<string, T> {
  return Object.fromEntries(Object.entries(all).filter(([one]) => one !== name));
}
