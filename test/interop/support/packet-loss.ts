import { spawnSync } from 'node:child_process';

const TABLE = 'dialcast-test';

/** Loses datagrams that leave a UDP port, by the namespace's own packet filter. End it with `stop`. */
export class PacketLoss {
  /** `percent` (1 to 100) of the datagrams, each by its own lot. */
  static start(sourcePort: number, percent: number): PacketLoss {
    nft(`table inet ${TABLE} {
      chain input {
        type filter hook input priority 0;
        udp sport ${sourcePort} numgen random mod 100 <= ${percent - 1} drop
      }
    }`);
    return new PacketLoss();
  }

  stop(): void {
    nft(`delete table inet ${TABLE}`);
  }
}

function nft(rules: string): void {
  const { status, stderr } = spawnSync('nft', ['-f', '-'], { input: rules, encoding: 'utf8' });
  if (status !== 0) throw new Error(`nft: ${stderr}`);
}
