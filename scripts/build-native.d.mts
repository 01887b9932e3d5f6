/** Types for the TypeScript that uses the build script: a bench that compiles an add-on of its own. */

export interface AddOnOptions {
  readonly sources: readonly string[];
  readonly output: string;
  readonly log: (line: string) => void;
}

export function compileAddOn(options: AddOnOptions): Promise<void>;
