import { z } from "zod";

type Shape = Readonly<Record<string, z.ZodType>>;

/**
 * An object of exactly these keys. Optional ones may be null, which both schedulers read as absent; required ones come
 * second, since few are.
 */
export function fields(optional: Shape, required: Shape = {}): z.ZodObject {
  const shape: Record<string, z.ZodType> = { ...required };
  for (const [key, schema] of Object.entries(optional)) shape[key] = schema.nullish();
  return z.strictObject(shape);
}

export const text = z.string();
export const filled = z.string().min(1, "must not be empty");
export const flag = z.boolean();
export const count = z.int().min(0);
export const amount = z.number().min(0);
export const texts = z.array(z.string());
export const textMap = z.record(z.string(), z.string());

/** The keys an object may have at a path below a schema; undefined where any key is fine. */
export function keysAt(schema: unknown, path: readonly PropertyKey[]): readonly string[] | undefined {
  const here = unwrapped(schema);
  if (here instanceof z.ZodUnion) {
    for (const option of here.options) {
      const keys = keysAt(option, path);
      if (keys) return keys;
    }
    return undefined;
  }
  const [head, ...rest] = path;
  if (head === undefined) return here instanceof z.ZodObject ? Object.keys(here.shape) : undefined;
  if (here instanceof z.ZodObject) return keysAt(here.shape[String(head)], rest);
  if (here instanceof z.ZodArray) return keysAt(here.element, rest);
  if (here instanceof z.ZodRecord) return keysAt(here.valueType, rest);
  return undefined;
}

function unwrapped(schema: unknown): unknown {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodNullable
    ? unwrapped(schema.unwrap())
    : schema;
}
