import { type Command, INPUT, type Input } from './input.ts';

/** Any program that writes a container to its standard output: `exec:ffmpeg -i film.mkv -f mpegts -`. No shell reads it. */
export function execInput(url: string): Input {
  return { ...INPUT, live: true, command: splitCommand(url.slice('exec:'.length)) };
}

/** Words are divided by blanks; quotes, single or double, keep blanks in a word. */
export function splitCommand(line: string): Command {
  const words = [...line.matchAll(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g)].map(([word]) =>
    word.replace(/"([^"]*)"|'([^']*)'/g, '$1$2'),
  );
  const [file = '', ...args] = words;
  return { file, args };
}
