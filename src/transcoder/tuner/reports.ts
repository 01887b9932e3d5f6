/** What dvblastctl says, in its XML. Its values are numbers and names of its own making; nothing of it is nested twice. */

/** How well a card receives; the numbers are the driver's, and each driver has a scale of its own. */
export interface Signal {
  readonly locked: boolean;
  /** Null for what is not known without a lock. */
  readonly strength: number | null;
  readonly snr: number | null;
  readonly bitErrorRate: number | null;
}

/** Of `fe_status`; null when there is no frontend. */
export function parseSignal(xml: string): Signal | null {
  if (!xml.includes('<FRONTEND')) return null;
  const value = (name: string) => {
    const digits = new RegExp(`<VALUE ${name}="(\\d+)"`).exec(xml)?.[1];
    return digits === undefined ? null : Number(digits);
  };
  return {
    locked: xml.includes('status="HAS_LOCK"'),
    strength: value('signal_strength'),
    snr: value('SNR'),
    bitErrorRate: value('bit_error_rate'),
  };
}

/** Names by service id, of `get_sdt`; null when no such table has come yet. */
export function parseServices(xml: string): ReadonlyMap<number, string> | null {
  if (!xml.includes('<SDT ')) return null;
  const services = xml.split('<SERVICE ').slice(1);
  return new Map(
    services.map(text => {
      const name = /<SERVICE_DESC [^>]*service="([^"]*)"/.exec(text)?.[1] ?? '';
      return [Number(/sid="(\d+)"/.exec(text)?.[1]), unescapeXml(name).trim()];
    }),
  );
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", '#39': "'" };

function unescapeXml(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|apos|#39);/g, (_, name: string) => ENTITIES[name]!);
}
