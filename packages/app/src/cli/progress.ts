import type { CliContext } from "./context.ts";

/** Lines as they come, and below them one that says how far it is, where a terminal can redraw it. */
export interface ProgressView {
  line(text: string): void;
  /** Replaces what was said of the progress before. Shown on a terminal only. */
  progress(text: string): void;
  /** Takes the progress away. */
  end(): void;
}

const CLEAR = "\r\u001b[2K";

export function progressView({ out, tty }: Pick<CliContext, "out" | "tty">): ProgressView {
  let shown = "";
  return {
    line: (text) => out(shown === "" ? `${text}\n` : `${CLEAR}${text}\n${shown}`),
    progress(text) {
      if (!tty) return;
      shown = text;
      out(CLEAR + text);
    },
    end() {
      if (shown !== "") out(CLEAR);
      shown = "";
    },
  };
}
