import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A file that the ffmpeg command makes, gone after the test; the container is told by the name. */
export function ffmpegFile(t: TestContext, name: string, args: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'ffmpeg-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, name);
  execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args, path], { stdio: ['ignore', 'ignore', 'inherit'] });
  return path;
}
