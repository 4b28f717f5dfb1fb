import { type CommitId, displayPath, type Kv, type KvLayout, type Problem, type Source } from "@sluice/core";
import { parseAnnouncements } from "./announcement.ts";
import { decide } from "./decide.ts";
import { decodeMarks } from "./marks.ts";
import { versionText } from "./message.ts";
import { POLICY_FILE, parsePolicies } from "./policy/parse-policies.ts";
import { canonicalName } from "./reference.ts";
import { scan } from "./scan.ts";
import { nameInKey } from "./steps.ts";

/** How one image of an environment stands, for people. */
export interface ImageView {
  readonly image: string;
  readonly policy: string;
  readonly pin: string | undefined;
  /** What Git says, each version once. */
  readonly versions: readonly string[];
  /** `apps/shop/web.yaml:12` */
  readonly places: readonly string[];
  /** The newest that was announced and can be used. */
  readonly newest: string | undefined;
  /** True where the newest is left out, since a person went back from it. */
  readonly held: boolean;
}

export interface SurveyOptions {
  readonly source: Source;
  readonly head: CommitId;
  readonly kv: Kv;
  readonly layout: KvLayout;
}

/** Every image that `deploy.yaml` has a policy for. */
export async function surveyImages(
  { source, head, kv, layout }: SurveyOptions,
  signal: AbortSignal,
): Promise<{ readonly images: readonly ImageView[]; readonly problems: readonly Problem[] }> {
  const file = (await source.tree(head, signal)).find(({ path }) => path === POLICY_FILE);
  let bytes: Uint8Array | undefined;
  for await (const read of source.blobs.read(file ? [file.oid] : [], signal)) bytes = read;
  const { images: policies, problems } = parsePolicies(bytes);
  const { files } = await scan({ source, head, names: [...policies.keys()], before: undefined }, signal);
  const entries = await kv.list(layout.images, signal);
  const { marks } = decodeMarks(await kv.get(layout.imageMarks, signal));
  const images = [...policies].map(([canonical, policy]): ImageView => {
    const found = [...files.values()].flatMap(({ path, found: { places } }) =>
      places.filter(({ name }) => name === canonical).map((place) => ({ path, ...place })),
    );
    const announced = entries.flatMap((entry) => {
      const name = nameInKey(layout, entry.key);
      return name !== undefined && canonicalName(name) === canonical
        ? parseAnnouncements(entry.value).all
        : [];
    });
    const { pin, name, kind } = policy;
    const newest = decide({ ...policy, pin: undefined }, announced, [NOWHERE], undefined).target;
    const { held } = decide(
      policy,
      announced,
      found.map(({ version }) => version),
      marks[canonical],
    );
    return {
      image: name,
      policy: kind,
      pin,
      versions: [...new Set(found.map(({ version }) => versionText(version)))],
      places: found.map(({ path, line }) => `${displayPath(path)}:${line}`),
      newest: newest && versionText(newest),
      held: held !== undefined,
    };
  });
  return { images, problems };
}

/** Anything is newer than what says nothing. */
const NOWHERE = { tag: undefined, digest: undefined };
