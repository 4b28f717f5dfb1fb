import type { Violation } from "../refusal.ts";

/** Where a reader stands and where it reports to. */
export interface Place {
  path: string;
  found: Violation[];
}

/** Takes what it knows from a JSON value, reporting what is wrong with it. The result counts only when nothing was reported. */
export type Reader = (value: unknown, place: Place) => unknown;

/** One key of an object: how to read it, whether it must be there, and what stands for it when it is absent. */
export interface Field {
  read: Reader;
  required?: boolean;
  fallback?: unknown;
}

export type Fields = Record<string, Field | Reader>;

/** An object of which only known keys are taken, silently, as Marathon does. null counts as absent. */
export function object(fields: Fields): Reader {
  return (value, place) => {
    if (!isRecord(value)) return report(place, "error.expected.jsobject");
    const taken: Record<string, unknown> = {};
    for (const [key, given] of Object.entries(fields)) {
      const field: Field = typeof given === "function" ? { read: given } : given;
      const inner = { path: `${place.path}/${key}`, found: place.found };
      const one = value[key];
      if (one !== undefined && one !== null) taken[key] = field.read(one, inner);
      else if (field.fallback !== undefined) taken[key] = structuredClone(field.fallback);
      else if (field.required) report(inner, `'${key}' is undefined on object: ${JSON.stringify(value)}`);
    }
    return taken;
  };
}

export function required(read: Reader): Field {
  return { read, required: true };
}

export function fallback(read: Reader, value: unknown): Field {
  return { read, fallback: value };
}

export interface TextRules {
  min?: number;
  max?: number;
  matches?: (text: string) => boolean;
  oneOf?: readonly string[];
}

export function text(rules: TextRules = {}): Reader {
  return (value, place) => {
    if (typeof value !== "string") return report(place, "error.expected.jsstring");
    if (rules.min !== undefined && value.length < rules.min) return report(place, "error.minLength");
    if (rules.max !== undefined && value.length > rules.max) return report(place, "error.maxLength");
    if (rules.matches && !rules.matches(value)) return report(place, "error.pattern");
    if (rules.oneOf && !rules.oneOf.includes(value)) return report(place, "error.unknown.enum.literal");
    return value;
  };
}

export function num(min?: number, max?: number): Reader {
  return (value, place) => {
    if (typeof value !== "number") return report(place, "error.expected.jsnumber");
    if (min !== undefined && value < min) return report(place, "error.min");
    if (max !== undefined && value > max) return report(place, "error.max");
    return value;
  };
}

export function int(min?: number, max?: number): Reader {
  const inRange = num(min, max);
  return (value, place) => {
    if (typeof value === "number" && !Number.isInteger(value)) return report(place, "error.expected.int");
    return inRange(value, place);
  };
}

export function bool(value: unknown, place: Place): unknown {
  return typeof value === "boolean" ? value : report(place, "error.expected.jsboolean");
}

export function list(item: Reader, min = 0): Reader {
  return (value, place) => {
    if (!Array.isArray(value)) return report(place, "error.expected.jsarray");
    if (value.length < min) return report(place, "error.minLength");
    return value.map((one, index) => item(one, { path: `${place.path}(${index})`, found: place.found }));
  };
}

export function map(item: Reader): Reader {
  return (value, place) => {
    if (!isRecord(value)) return report(place, "error.expected.jsobject");
    const entries = Object.entries(value).map(([key, one]) => {
      return [key, item(one, { path: `${place.path}/${key}`, found: place.found })] as const;
    });
    return Object.fromEntries(entries);
  };
}

/** A value of several forms: the reader of the first form whose test it passes. */
export function oneOfForms(...forms: [(value: unknown) => boolean, Reader][]): Reader {
  return (value, place) => {
    const form = forms.find(([test]) => test(value)) ?? forms.at(-1);
    return form?.[1](value, place);
  };
}

/** Anything, as it is. */
export function anything(value: unknown): unknown {
  return value;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function report(place: Place, error: string): undefined {
  place.found.push({ path: place.path || "/", errors: [error] });
  return undefined;
}
