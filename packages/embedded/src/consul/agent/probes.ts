import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import type { CheckStatus } from "../catalog/types.ts";
import type { HttpProbe, TcpProbe } from "./definition.ts";

export interface ProbeResult {
  status: CheckStatus;
  output: string;
}

/** Consul's `check_output_max_size`. */
const LONGEST_OUTPUT = 4096;

/** Makes one check. Never rejects: what fails is critical. */
export function probe(probe: HttpProbe | TcpProbe, signal: AbortSignal): Promise<ProbeResult> {
  return probe.type === "http" ? probeHttp(probe, signal) : probeTcp(probe, signal);
}

/** 2xx is passing, 429 warning, all else critical, as with Consul. */
function probeHttp(probe: HttpProbe, signal: AbortSignal): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const fail = (error: Error) => resolve(critical(`${probe.method} "${probe.url}": ${error.message}`));
    const options = {
      method: probe.method,
      headers: { "User-Agent": "Consul Health Check", Accept: "text/plain, text/*, */*", ...probe.headers },
      signal,
      timeout: probe.timeoutMs,
      rejectUnauthorized: !probe.skipVerify,
      agent: false as const,
    };
    try {
      const send = probe.url.startsWith("https:") ? httpsRequest : httpRequest;
      const sent = send(probe.url, options, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text = (text + chunk).slice(0, LONGEST_OUTPUT);
        });
        response.on("error", fail);
        response.on("end", () => {
          const code = response.statusCode ?? 0;
          const line = `HTTP ${probe.method} ${probe.url}: ${code} ${response.statusMessage} Output: ${text}`;
          resolve({ status: statusOf(code), output: line });
        });
      });
      sent.on("timeout", () => sent.destroy(new Error(`no answer within ${probe.timeoutMs} ms`)));
      sent.on("error", fail);
      sent.end(probe.body || undefined);
    } catch (error) {
      fail(error as Error);
    }
  });
}

function statusOf(code: number): CheckStatus {
  if (code >= 200 && code < 300) return "passing";
  return code === 429 ? "warning" : "critical";
}

function probeTcp({ address, timeoutMs }: TcpProbe, signal: AbortSignal): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const cut = address.lastIndexOf(":");
    const port = Number(address.slice(cut + 1));
    if (cut < 0 || !Number.isInteger(port) || port > 65_535) {
      return resolve(critical(`dial tcp ${address}: no host:port`));
    }
    const host = address.slice(0, cut).replace(/^\[|\]$/g, "");
    const socket = connect({ host, port, signal });
    const finish = (result: ProbeResult) => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(timeoutMs, () => finish(critical(`dial tcp ${address}: i/o timeout`)));
    socket.once("connect", () => finish({ status: "passing", output: `TCP connect ${address}: Success` }));
    socket.once("error", (error) => finish(critical(`dial tcp ${address}: ${error.message}`)));
  });
}

function critical(output: string): ProbeResult {
  return { status: "critical", output };
}
