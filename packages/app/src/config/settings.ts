import { parseDuration } from "@sluice/core";
import { z } from "zod";

/** A duration with a default: `30s`. */
export const duration = (standard: string, description: string) =>
  z
    .string()
    .refine((text) => parseDuration(text) !== undefined, "must be a duration such as 500ms, 30s, 5m or 2h")
    .default(standard)
    .meta({ description });

export const port = (standard: number, description: string) =>
  z.number().int().min(0).max(65_535).default(standard).meta({ description });

export const text = (description: string) => z.string().min(1).meta({ description });

/** What an environment or a target may be called. */
export const name = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    "must be lower-case letters, digits and inner hyphens, at most 63",
  );

/** Files of a TLS client. */
export const tls = {
  ca: text("File with the certificate authority to trust, PEM.").optional(),
  cert: text("File with the client certificate, PEM.").optional(),
  key: text("File with the client certificate's key, PEM.").optional(),
};
