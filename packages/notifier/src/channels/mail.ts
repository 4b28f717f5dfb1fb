import { type Clock, messageOf, redact } from "@sluice/core";
import { createTransport } from "nodemailer";
import { cut, type Notice, oneLine } from "../notice/notice.ts";
import { allJobLines, factsOf } from "../notice/wording.ts";
import type { Channel, Delivery } from "./channel.ts";

export interface MailOptions {
  readonly host: string;
  readonly port: number;
  /** `implicit`: TLS from the first byte; `starttls`: it must be offered; `none`: in the clear, for a relay of this machine. */
  readonly tls: "implicit" | "starttls" | "none";
  /** The authority to trust, PEM; the machine's own where absent. */
  readonly ca?: string | undefined;
  readonly auth?: { readonly user: string; readonly password: () => string } | undefined;
  readonly from: string;
  readonly to: readonly string[];
  readonly clock: Clock;
}

const TIMEOUT_MS = 15_000;
const LONGEST_SUBJECT = 200;

/** Mail by SMTP. Each attempt is a connection of its own, so that one that hangs ends with its deadline. */
export function mail(options: MailOptions): Channel {
  return {
    async post(notice, signal) {
      let transport: ReturnType<typeof transportOf>;
      try {
        transport = transportOf(options);
      } catch (error) {
        return { kind: "later", why: messageOf(error) };
      }
      const end = () => transport.close();
      signal.addEventListener("abort", end, { once: true });
      try {
        await withDeadline(transport.sendMail(mailOf(notice, options)), TIMEOUT_MS * 2);
        return { kind: "sent" };
      } catch (error) {
        signal.throwIfAborted();
        return failed(error, options);
      } finally {
        signal.removeEventListener("abort", end);
        end();
      }
    },
  };
}

function transportOf({ host, port, tls, ca, auth }: MailOptions) {
  return createTransport({
    ...{ host, port, secure: tls === "implicit", requireTLS: tls === "starttls", ignoreTLS: tls === "none" },
    ...(ca === undefined ? {} : { tls: { ca } }),
    ...(auth ? { auth: { user: auth.user, pass: auth.password() } } : {}),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    // What is sent is text we made: no file and no address is ever fetched for it.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}

/** The mail of a notice: text and HTML, one thread for each revision, marked so that no machine answers. */
export function mailOf(notice: Notice, { from, to }: Pick<MailOptions, "from" | "to">) {
  const domain = /@([A-Za-z0-9.-]+)>?$/.exec(from)?.[1] ?? "localhost";
  const thread = notice.revision === undefined ? undefined : `<${threadOf(notice)}@${domain}>`;
  return {
    from,
    to: [...to],
    subject: cut(`[${notice.severity}] ${oneLine(notice.title)}`, LONGEST_SUBJECT),
    text: textOf(notice),
    html: htmlOf(notice),
    messageId: `<${notice.id}@${domain}>`,
    date: new Date(notice.at),
    ...(thread === undefined ? {} : { inReplyTo: thread, references: [thread] }),
    headers: {
      "Auto-Submitted": "auto-generated",
      "X-Auto-Response-Suppress": "All",
      Precedence: "bulk",
      "List-ID": `<sluice.${notice.environment === "*" ? "all" : notice.environment}.${domain}>`,
    },
  };
}

function threadOf({ environment, revision }: Notice): string {
  return `${environment}.${revision?.replace(/^.*:/, "")}`;
}

function textOf(notice: Notice): string {
  const facts = factsOf(notice).map(({ name, value }) => `${name}: ${value}`);
  const parts = [
    notice.title,
    notice.message,
    facts.join("\n"),
    allJobLines(notice).join("\n"),
    notice.url ?? "",
  ];
  return `${parts.filter(Boolean).join("\n\n")}\n`;
}

function htmlOf(notice: Notice): string {
  const facts = factsOf(notice).map(
    ({ name, value }) => `<tr><th align="left">${name}</th><td>${html(value)}</td></tr>`,
  );
  const jobs = allJobLines(notice).join("\n");
  return [
    `<h3>${html(notice.title)}</h3>`,
    notice.message ? `<p style="white-space:pre-line">${html(notice.message)}</p>` : "",
    facts.length > 0 ? `<table>${facts.join("")}</table>` : "",
    jobs ? `<pre>${html(jobs)}</pre>` : "",
    notice.url ? `<p><a href="${html(notice.url)}">Open</a></p>` : "",
  ].join("");
}

const ENTITIES: Readonly<Record<string, string>> = {
  ...{ "&": "&amp;", "<": "&lt;", ">": "&gt;" },
  ...{ '"': "&quot;", "'": "&#39;" },
};

function html(text: string): string {
  return text.replace(/[&<>"']/g, (one) => ENTITIES[one] ?? one);
}

/** 5xx answers to the message are final (RFC 5321, 4.2.1); a wrong password is a person's to mend, and then it goes on. */
function failed(error: unknown, { host, port }: MailOptions): Delivery {
  const { responseCode, code } = error as { responseCode?: unknown; code?: unknown };
  const at = `${host}:${port}`;
  const final =
    typeof responseCode === "number" && responseCode >= 500 && (code === "EENVELOPE" || code === "EMESSAGE");
  if (final) return { kind: "refused", why: `${at} refused the mail (${responseCode})` };
  if (typeof responseCode === "number")
    return { kind: "later", why: `${at} answered ${responseCode} (${String(code)})` };
  return { kind: "later", why: `${at} cannot be used: ${redact(cut(oneLine(messageOf(error)), 200))}` };
}

async function withDeadline<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it took more than ${ms / 1_000} s`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
