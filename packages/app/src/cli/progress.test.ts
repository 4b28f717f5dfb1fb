import { expect, it } from "vitest";
import { progressView } from "./progress.ts";

function shown(tty: boolean, use: (view: ReturnType<typeof progressView>) => void): string {
  let text = "";
  use(progressView({ tty, out: (part) => (text += part) }));
  return text;
}

it("a terminal keeps the progress below the lines, and takes it away at the end", () => {
  const text = shown(true, (view) => {
    view.progress("1 of 3");
    view.line("✔ a healthy");
    view.progress("2 of 3");
    view.end();
    view.line("done");
  });
  const clear = "\r\u001b[2K";
  expect(text).toBe(`${clear}1 of 3${clear}✔ a healthy\n1 of 3${clear}2 of 3${clear}done\n`);
});

it("where no terminal is, only lines are written", () => {
  const text = shown(false, (view) => {
    view.progress("1 of 3");
    view.line("✔ a healthy");
    view.end();
  });
  expect(text).toBe("✔ a healthy\n");
});
