/** What a handler answers. A string body without a type is JSON. */
export interface Answer {
  status: number;
  body?: string | Buffer;
  type?: string;
  headers?: Record<string, string>;
}

/** An answer that is not a success: its message is the plain-text body. */
export class ConsulError extends Error {
  readonly status: number;
  readonly headers: Record<string, string>;

  constructor(status: number, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

export const TEXT = "text/plain; charset=utf-8";

/** 200 with a value as JSON. */
export function json(value: unknown, headers: Record<string, string> = {}): Answer {
  return { status: 200, body: JSON.stringify(value), headers };
}

/** 200 without a body, as Consul's agent answers a registration. */
export function done(): Answer {
  return { status: 200 };
}

/** The headers of every read that can block. There is one server and it leads, so contact and leader are constant. */
export function indexHeaders(index: number): Record<string, string> {
  return { "X-Consul-Index": String(Math.max(1, index)), ...LEADER };
}

export const LEADER = { "X-Consul-KnownLeader": "true", "X-Consul-LastContact": "0" };
