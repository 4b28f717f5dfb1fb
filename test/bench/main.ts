import { type Bench, type Figure, keeps, type Report } from "./bench.ts";
import { deployerBench } from "./deployer.ts";
import { fetchBench } from "./fetch.ts";
import { loopBench } from "./loop.ts";
import { mirrorBench } from "./mirror.ts";
import { pushBench } from "./push.ts";

const BENCHES: readonly Bench[] = [pushBench, mirrorBench, fetchBench, deployerBench, loopBench];

const words = process.argv.slice(2);
const json = words.includes("--json");
const flags: ReadonlySet<string> = new Set(words.filter((word) => word.startsWith("--")));
const names = words.filter((word) => !word.startsWith("--"));

if (words.includes("--list") || names.length === 0) {
  for (const { name, about } of BENCHES) process.stdout.write(`${name}: ${about}\n`);
} else {
  for (const name of names) await runBench(name);
}

async function runBench(name: string): Promise<void> {
  const bench = BENCHES.find((one) => one.name === name);
  if (!bench) {
    process.stderr.write(
      `✗ there is no benchmark "${name}"; there are ${BENCHES.map((one) => one.name).join(", ")}\n`,
    );
    process.exitCode = 2;
    return;
  }
  const figures: Figure[] = [];
  const report: Report = {
    add: (figure) => void figures.push(figure),
    say: (text) => void process.stderr.write(`◎ ${text}\n`),
  };
  await bench.run(report, flags);
  if (json)
    for (const figure of figures) process.stdout.write(`${JSON.stringify({ bench: name, ...figure })}\n`);
  else print(name, figures);
}

function print(name: string, figures: readonly Figure[]): void {
  const width = Math.max(...figures.map((one) => one.figure.length));
  process.stdout.write(`\n${name}\n`);
  for (const { figure, value, unit, target } of figures) {
    const kept = keeps(value, target);
    const verdict = kept === undefined ? "" : `  ${kept ? "✔" : "✗"} ${target}`;
    process.stdout.write(
      `  ${figure.padEnd(width)}  ${value.toFixed(value < 10 ? 2 : 1).padStart(9)} ${unit}${verdict}\n`,
    );
  }
}
