import { isSluiceError, messageOf, SluiceError } from "@sluice/core";
import type { Balancer } from "./balancer/balancer.ts";
import type { ConfigFile } from "./config-file.ts";
import { withoutOffenders } from "./offenders.ts";
import type { Backend, Rendered, Renderer } from "./render.ts";

export interface ApplyContext {
  readonly balancer: Balancer;
  readonly file: ConfigFile;
  readonly renderer: Renderer;
}

/** The largest file the balancer takes, and the backends it refuses. */
export interface Acceptable {
  readonly backends: readonly Backend[];
  readonly rendered: Rendered;
  /** With the balancer's words. */
  readonly refused: readonly { readonly backend: Backend; readonly words: string }[];
}

/**
 * Finds what the balancer takes: everything, or everything but the backends that it refuses. The accepted file is staged.
 * @throws BALANCER_FAILED where it refuses even a file without any backend.
 */
export async function acceptable(
  backends: readonly Backend[],
  { balancer, file, renderer }: ApplyContext,
  signal: AbortSignal,
): Promise<Acceptable> {
  const refusalOf = async (set: readonly Backend[]) => {
    const staged = await file.stage(renderer.render(set).text);
    return (await balancer.check(staged, signal)).refusal;
  };
  const all = await refusalOf(backends);
  if (all === undefined) return { backends, rendered: renderer.render(backends), refused: [] };
  const nothing = await refusalOf([]);
  if (nothing !== undefined) {
    await file.setAside();
    throw new SluiceError("BALANCER_FAILED", `the load balancer refuses the file: ${nothing}`, {
      hint: "The template or its settings are at fault; the file it refused is kept beside its own, as .refused.",
    });
  }
  const words = new Map<Backend, string>();
  const { good, offenders } = await withoutOffenders(backends, async (set) => {
    const refusal = await refusalOf(set);
    const last = set.at(-1);
    if (refusal !== undefined && last) words.set(last, refusal);
    return refusal === undefined;
  });
  const rendered = renderer.render(good);
  await file.stage(rendered.text);
  const refused = offenders.map((backend) => ({ backend, words: words.get(backend) ?? all }));
  return { backends: good, rendered, refused };
}

/** Puts a staged file to work by a reload; where that fails, the file before is put back and loaded again. */
export async function reloadWith(
  rendered: Rendered,
  before: string | undefined,
  { balancer, file }: ApplyContext,
  signal: AbortSignal,
): Promise<void> {
  await file.replace();
  try {
    await balancer.reload(rendered.structure, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    await file.restore();
    if (before !== undefined) await balancer.reload(before, signal).catch(() => undefined);
    const words = isSluiceError(error) ? error.message : messageOf(error);
    throw new SluiceError("BALANCER_FAILED", `${words}; the file before is back`, { cause: error });
  }
}
