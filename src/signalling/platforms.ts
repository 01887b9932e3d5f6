import { type PlatformAccount, Registration, type RegistrationPorts } from './registration/index.ts';
import type { Flow, Target } from './transport/index.ts';

/** What every registration shares; each has a listener of its own. */
export type PlatformPorts = Omit<RegistrationPorts, 'changed'>;

/** Our registrations with foreign platforms, and what comes or goes over them. */
export class Platforms {
  readonly #ports: PlatformPorts;
  readonly #registrations: Registration[] = [];

  constructor(ports: PlatformPorts) {
    this.#ports = ports;
  }

  /** In the order in which they were asked for. */
  get registrations(): readonly Registration[] {
    return this.#registrations;
  }

  /** Keeps a channel registered until `stop`. */
  register(account: PlatformAccount, changed: RegistrationPorts['changed']): void {
    const registration = new Registration(account, { ...this.#ports, changed });
    this.#registrations.push(registration);
    registration.start();
  }

  /** Of the channel of this name, with the platform that the flow comes from. */
  of(channel: string | undefined, { transport, remoteAddress, remotePort }: Flow): Registration | null {
    const target = { transport, address: remoteAddress, port: remotePort };
    return (
      this.#registrations.find(({ account, flow }) => account.channel === channel && leadsTo(flow, target)) ?? null
    );
  }

  /**
   * The flow over which we are registered, when it leads there: a platform names itself by its address in the Record-Route
   * of a call, and its certificate is of its name.
   */
  flowTo(target: Target): Flow | null {
    const flows = this.#registrations.map(({ flow }) => flow);
    return flows.find(flow => leadsTo(flow, target) && !flow!.closed) ?? null;
  }

  disconnected(flow: Flow): void {
    for (const registration of this.#registrations) registration.disconnected(flow);
  }

  /** Takes every channel off its platform. */
  stop(): void {
    for (const registration of this.#registrations) registration.stop();
  }
}

function leadsTo(
  flow: Flow | null,
  { transport, address, port }: { transport: string; address: string; port: number },
) {
  return flow?.transport === transport && flow.remoteAddress === address && flow.remotePort === port;
}
