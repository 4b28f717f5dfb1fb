import type { FastifyReply } from "fastify";
import type { Profile } from "./profile.ts";
import type { Refusal } from "./writes.ts";

const REASONS: Record<number, string> = { 400: "Bad Request", 500: "Internal Server Error" };

/** Writes answer 204 without a body, or say why not. */
export function replyTo(reply: FastifyReply, profile: Profile, refusal: Refusal | undefined): FastifyReply {
  return refusal === undefined ? reply.code(204).send() : refuse(reply, profile, refusal);
}

/**
 * 3.x: `{status, message}` with Java's exception text. 2.x: the bare message of an IllegalArgumentException as text,
 * and no body at all for anything else.
 */
export function refuse(
  reply: FastifyReply,
  profile: Profile,
  { status, message, kind }: Refusal,
): FastifyReply {
  const thrown = kind === "illegal" ? `requirement failed: ${message}` : message;
  if (!profile.jsonErrors)
    return kind === "illegal"
      ? reply.code(status).type("text/plain").send(thrown)
      : reply.code(status).send();
  const classes = {
    illegal: "java.lang.IllegalArgumentException: ",
    exception: "java.lang.Exception: ",
    plain: "",
  };
  return reply
    .code(status)
    .send({ status: REASONS[status] ?? String(status), message: `${classes[kind]}${thrown}` });
}
