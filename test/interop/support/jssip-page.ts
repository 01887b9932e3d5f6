import type { UA } from 'jssip';
import type { Page } from 'puppeteer-core';
import { build } from 'vite';

declare const JsSIP: typeof import('jssip');

declare global {
  interface Window {
    ua: UA;
    session: ReturnType<UA['call']>;
  }
}

export interface PageAccount {
  /** URL of the server's WebSocket. */
  readonly url: string;
  readonly uri: string;
  readonly password: string;
}

/** JsSIP as a script that makes it a global of a page. */
async function script(): Promise<string> {
  const entry = new URL('../../../node_modules/jssip/lib/JsSIP.js', import.meta.url).pathname;
  const lib = { entry, name: 'JsSIP', formats: ['iife' as const], fileName: 'jssip' };
  const built = await build({ configFile: false, logLevel: 'silent', build: { write: false, lib } });
  const [result] = [built].flat();
  if (!('output' in result!)) throw new Error('JsSIP was not bundled');
  return result.output[0].code;
}

/** JsSIP in a browser's page, which shows what it gets in a video element. */
export class JssipPage {
  readonly #page: Page;

  /** Whatever the page shows at `address` gives it its origin. */
  static async open(page: Page, address: string): Promise<JssipPage> {
    await page.setBypassCSP(true);
    await page.goto(address);
    await page.addScriptTag({ content: await script() });
    return new JssipPage(page);
  }

  private constructor(page: Page) {
    this.#page = page;
  }

  /** The status of the answer to REGISTER, after the one to a challenge. */
  register(account: PageAccount): Promise<number> {
    return this.#page.evaluate(({ url, uri, password }) => {
      const ua = new JsSIP.UA({ sockets: new JsSIP.WebSocketInterface(url), uri, password, register: true });
      window.ua = ua;
      return new Promise<number>(resolve => {
        ua.on('registered', ({ response }) => resolve(response.status_code));
        ua.on('registrationFailed', ({ response }) => resolve(response.status_code));
        ua.start();
      });
    }, account);
  }

  /** Resolves when the call is answered; rejects with the cause when it is not. */
  call(target: string): Promise<void> {
    return this.#page.evaluate((to: string) => {
      const video = document.createElement('video');
      document.body.replaceChildren(video);
      return new Promise<void>((resolve, reject) => {
        window.session = window.ua.call(to, {
          mediaConstraints: { audio: false, video: false },
          eventHandlers: {
            peerconnection: ({ peerconnection }) => {
              video.srcObject = new MediaStream(
                ['audio', 'video'].map(kind => {
                  return peerconnection.addTransceiver(kind, { direction: 'recvonly' }).receiver.track;
                }),
              );
              void video.play();
            },
            icecandidate: ({ ready }) => ready(),
            confirmed: () => resolve(),
            failed: ({ cause }) => reject(new Error(cause)),
          },
        });
      });
    }, target);
  }

  hold(): Promise<void> {
    return this.#page.evaluate(() => new Promise<void>(resolve => void window.session.hold({}, resolve)));
  }

  resume(): Promise<void> {
    return this.#page.evaluate(() => new Promise<void>(resolve => void window.session.unhold({}, resolve)));
  }

  /** Of media that came in during the call. */
  octets(): Promise<number> {
    return this.#page.evaluate(async () => {
      const stats = [...(await window.session.connection.getStats()).values()];
      return stats.reduce((sum, { type, bytesReceived }) => sum + (type === 'inbound-rtp' ? bytesReceived : 0), 0);
    });
  }

  hangUp(): Promise<void> {
    return this.#page.evaluate(() => window.ua.terminateSessions());
  }

  unregister(): Promise<void> {
    return this.#page.evaluate(
      () =>
        new Promise<void>(resolve => {
          window.ua.once('unregistered', () => resolve());
          window.ua.unregister();
        }),
    );
  }
}
