/** What a service of this process found at a whole look. Told at each one, for metrics and `/readyz` alone. */
export type Look =
  | { readonly service: "registrar"; readonly node: string; readonly services: number }
  | {
      readonly service: "router";
      readonly services: number;
      readonly servers: number;
      /** Servers that vanished, and are kept for now. */
      readonly held: number;
      /** Services and instances that cannot be routed. */
      readonly leftOut: number;
    }
  | { readonly service: "image-updater"; readonly environment: string; readonly announced: number }
  | {
      readonly service: "build-trigger";
      readonly app: string;
      /** Remembered builds by their state. */
      readonly states: Readonly<Record<string, number>>;
      /** When the oldest that is not done was asked for, in milliseconds since the epoch. */
      readonly oldestOpen: number | undefined;
    };

/** Takes every look. Never throws. */
export type Looked = (look: Look) => void;
