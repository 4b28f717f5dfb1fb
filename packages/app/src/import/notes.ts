import type { TextDocument } from "@sluice/core";

/** Something to tell the person who imports a configuration. */
export interface Note {
  /** 1-based, in the file that is imported. */
  readonly line: number;
  /** The option, as in `repos.0.hooks.1.type`. */
  readonly option: string;
  /** True where somebody must decide or do something before the result is as good as what was. */
  readonly attention: boolean;
  readonly message: string;
}

export type OptionPath = readonly (string | number)[];

/** Gathers notes; each knows its line. */
export interface Notes {
  /** Something to do. */
  attend(path: OptionPath, message: string): void;
  /** Something to know. */
  tell(path: OptionPath, message: string): void;
  /** In the order of their lines. */
  all(): readonly Note[];
}

export function notesOf(document: TextDocument): Notes {
  const notes: Note[] = [];
  const add = (attention: boolean) => (path: OptionPath, message: string) =>
    void notes.push({
      line: document.locate(path).line,
      option: path.join(".") || "(all)",
      attention,
      message,
    });
  return {
    attend: add(true),
    tell: add(false),
    all: () => [...notes].sort((one, other) => one.line - other.line),
  };
}
