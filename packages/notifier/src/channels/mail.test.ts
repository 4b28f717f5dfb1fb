import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { manualClock } from "@sluice/core/testing";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { aNotice, hostileNotice, NOW } from "../testing/notices.ts";
import { type MailOptions, mail } from "./mail.ts";

const never = new AbortController().signal;

interface Mailbox {
  readonly port: number;
  readonly mails: readonly { from: string; to: string[]; text: string; user: string; secure: boolean }[];
  stop(): Promise<void>;
}

let folder: string;
let key: string;
let cert: string;
let mailbox: Mailbox | undefined;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-mail-"));
  const [keyFile, certFile] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  execFileSync(
    "openssl",
    [
      ...[
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
      ],
      ...["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
      ...["-keyout", keyFile, "-out", certFile],
    ],
    { stdio: "ignore" },
  );
  [key, cert] = [readFileSync(keyFile, "utf8"), readFileSync(certFile, "utf8")];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(async () => {
  await mailbox?.stop();
  mailbox = undefined;
});

/** A real SMTP server with STARTTLS and a password. */
async function startMailbox(more: SMTPServerOptions = {}): Promise<Mailbox> {
  const mails: Mailbox["mails"][number][] = [];
  const server = new SMTPServer({
    ...{ key, cert, authMethods: ["PLAIN", "LOGIN"], logger: false },
    onAuth({ username, password }, _, done) {
      if (username === "robot" && password === "secret-word") done(null, { user: username });
      else done(Object.assign(new Error("no"), { responseCode: 535 }));
    },
    onData(stream, session, done) {
      const parts: Buffer[] = [];
      stream.on("data", (part: Buffer) => parts.push(part));
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom ? mailFrom.address : "",
          to: rcptTo.map(({ address }) => address),
          text: Buffer.concat(parts).toString("utf8"),
          user: String(session.user),
          secure: session.secure === true,
        });
        done();
      });
    },
    ...more,
  });
  server.on("error", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const { port } = server.server.address() as AddressInfo;
  return { port, mails, stop: () => new Promise<void>((resolve) => server.close(() => resolve())) };
}

function options(port: number, more: Partial<MailOptions> = {}): MailOptions {
  return {
    ...{ host: "127.0.0.1", port, tls: "starttls", ca: cert },
    auth: { user: "robot", password: () => "secret-word" },
    from: "Sluice <sluice@example.test>",
    to: ["shop@example.test", "ops@example.test"],
    clock: manualClock(NOW),
    ...more,
  };
}

describe("mail", () => {
  it("reaches a real server through STARTTLS, with a password, once for all who are written to", async () => {
    mailbox = await startMailbox();
    expect(await mail(options(mailbox.port)).post(aNotice(), never)).toEqual({ kind: "sent" });
    expect(mailbox.mails).toEqual([
      {
        from: "sluice@example.test",
        to: ["shop@example.test", "ops@example.test"],
        user: "robot",
        secure: true,
        text: expect.any(String),
      },
    ]);
    const text = mailbox.mails[0]?.text ?? "";
    for (const header of [
      "Subject: [error] production: main@sha1:01234567 is degraded",
      "Message-ID: <n1@example.test>",
      "In-Reply-To: <production.0123456789abcdef0123456789abcdef01234567@example.test>",
      "Auto-Submitted: auto-generated",
      "X-Auto-Response-Suppress: All",
      "Precedence: bulk",
      "List-ID: <sluice.production.example.test>",
    ])
      expect(text.replace(/\r\n\s+/g, " ")).toContain(header);
    expect(text).toContain("Content-Type: multipart/alternative");
    expect(decoded(text)).toContain("back: sluice rollback apps/shop/web --to ffffffffffff");
  });

  it("holds nothing that acts: no tags of others, no header of others", async () => {
    mailbox = await startMailbox();
    const title = "x\r\nBcc: evil@example.test\r\n\r\nbody";
    await mail(options(mailbox.port)).post({ ...hostileNotice(), title }, never);
    const text = mailbox.mails[0]?.text ?? "";
    expect(text.split("\r\n\r\n")[0]).not.toMatch(/^Bcc:/im);
    expect(decoded(text).split("<h3>")[1]).not.toMatch(/<script>|<at>|<!channel>/);
  });

  it("is not sent where STARTTLS is not offered", async () => {
    mailbox = await startMailbox({ hideSTARTTLS: true, disabledCommands: ["STARTTLS"] });
    expect(await mail(options(mailbox.port)).post(aNotice(), never)).toMatchObject({ kind: "later" });
    expect(mailbox.mails).toEqual([]);
  });

  it("is not sent to a server whose certificate nobody vouches for", async () => {
    mailbox = await startMailbox();
    const { ca: _, ...without } = options(mailbox.port);
    expect(await mail(without).post(aNotice(), never)).toMatchObject({ kind: "later" });
    expect(mailbox.mails).toEqual([]);
  });

  it("waits while the password is wrong, and never tells it", async () => {
    mailbox = await startMailbox();
    const auth = { user: "robot", password: () => "wrong-word" };
    const delivery = await mail(options(mailbox.port, { auth })).post(aNotice(), never);
    expect(delivery).toMatchObject({ kind: "later" });
    expect(JSON.stringify(delivery)).not.toContain("wrong-word");
  });

  it.each([
    [550, "refused"],
    [451, "later"],
  ])("to an address that is answered %d is %s", async (responseCode, kind) => {
    mailbox = await startMailbox({
      onRcptTo: (_address, _session, done) => done(Object.assign(new Error("no"), { responseCode })),
    });
    expect(await mail(options(mailbox.port)).post(aNotice(), never)).toMatchObject({ kind });
  });

  it("waits for a server that is gone", async () => {
    mailbox = await startMailbox();
    const { port } = mailbox;
    await mailbox.stop();
    mailbox = undefined;
    expect(await mail(options(port)).post(aNotice(), never)).toMatchObject({ kind: "later" });
  });
});

/** Bodies are quoted-printable. */
function decoded(text: string): string {
  return text
    .replace(/=\r\n/g, "")
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
