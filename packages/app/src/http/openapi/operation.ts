import type { z } from "zod";

/** One route of the server, as the OpenAPI document describes it. */
export interface Operation {
  readonly method: "GET" | "POST";
  /** With `:name` for a part that varies. */
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  /** Query parameters and what they mean; `!` at the end of a name: it must be given. */
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: z.ZodType;
  /** The JSON of a success. Absent: `content` says what comes instead. */
  readonly answer?: z.ZodType;
  /** Media type of an answer that is no JSON. */
  readonly content?: string;
  /** Status of a success where it is not 200. */
  readonly status?: number;
}
