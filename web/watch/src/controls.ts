import type { CallState } from './call-machine.ts';
import type { Channel } from './channels.ts';
import { stateWords } from './words.ts';

export interface ControlsHandlers {
  hangUp(): void;
  again(): void;
  step(steps: 1 | -1): void;
  toggleSound(): void;
  setVolume(volume: number): void;
}

const QUIET_AFTER_MS = 3_000;

/** What lies over and under the picture: the state in words, the title, and the buttons. */
export class Controls {
  readonly #stage = element('#stage');
  readonly #state = element('#state');
  readonly #title = element('#title');
  readonly #number = element('#number');
  readonly #address = element('#address');
  readonly #headline = element('#headline');
  readonly #digits = element('#digits');
  readonly #volume = element<HTMLInputElement>('#volume');
  readonly #sound = element<HTMLButtonElement>('[data-action="sound"]');
  readonly #fullScreen = element<HTMLButtonElement>('[data-action="full-screen"]');
  readonly #domain: string;
  #quietTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(domain: string, handlers: ControlsHandlers) {
    this.#domain = domain;
    const actions: Readonly<Record<string, () => void>> = {
      'hang-up': () => handlers.hangUp(),
      again: () => handlers.again(),
      'channel-up': () => handlers.step(1),
      'channel-down': () => handlers.step(-1),
      sound: () => handlers.toggleSound(),
      'sound-on': () => handlers.toggleSound(),
      'full-screen': () => this.toggleFullScreen(),
    };
    for (const button of document.querySelectorAll<HTMLButtonElement>('button[data-action]')) {
      button.addEventListener('click', () => actions[button.dataset.action!]?.());
    }
    this.#volume.addEventListener('input', () => handlers.setVolume(Number(this.#volume.value) / 100));
    element('video').addEventListener('dblclick', () => this.toggleFullScreen());
    document.addEventListener('fullscreenchange', () => this.#showFullScreen());
    for (const event of ['pointermove', 'pointerdown', 'focusin']) {
      this.#stage.addEventListener(event, () => this.#wake());
    }
    document.addEventListener('keydown', () => this.#wake());
  }

  /** `example` is a channel to name as long as none is chosen. */
  showState(state: CallState, channel: Channel | null, example: Channel | null): void {
    const target = state.name === 'idle' ? null : state.target;
    const title = channel?.title ?? target ?? '';
    document.body.dataset.state = state.name;
    document.body.dataset.channel = target ?? '';
    document.title = target === null ? 'Dialcast' : `${title} · Dialcast`;
    setText(this.#state, stateWords(state, title));
    setText(this.#headline, state.name === 'idle' ? 'Television you can call' : title);
    setText(this.#title, title);
    setText(this.#number, channel === null ? '' : String(channel.number));
    const address = target === null ? example?.number : (channel?.name ?? target);
    setText(this.#address, `sip:${address}@${this.#domain}`);
    this.#address.parentElement!.hidden = address === undefined;
  }

  /** Sound alone leaves the curtain down. */
  showPicture(picture: boolean): void {
    document.body.dataset.picture = picture ? 'moving' : 'none';
  }

  showSound(sound: 'on' | 'off' | 'blocked', volume: number): void {
    document.body.dataset.sound = sound;
    this.#sound.setAttribute('aria-pressed', String(sound === 'on'));
    this.#sound.setAttribute('aria-label', sound === 'on' ? 'Sound off' : 'Sound on');
    this.#volume.value = String(sound === 'on' ? Math.round(volume * 100) : 0);
  }

  /** The number that is being dialled; empty when none is. */
  showDigits(digits: string): void {
    this.#digits.hidden = digits === '';
    setText(this.#digits, digits);
  }

  toggleFullScreen(): void {
    if (document.fullscreenElement !== null) void document.exitFullscreen();
    else void this.#stage.requestFullscreen?.().catch(() => undefined);
  }

  #showFullScreen(): void {
    const full = document.fullscreenElement !== null;
    this.#fullScreen.setAttribute('aria-label', full ? 'Leave full screen' : 'Full screen');
    this.#fullScreen.setAttribute('aria-pressed', String(full));
  }

  /** Shows the buttons over the picture, and hides them when the viewer leaves them alone. */
  #wake(): void {
    this.#stage.dataset.quiet = 'false';
    clearTimeout(this.#quietTimer);
    this.#quietTimer = setTimeout(() => {
      this.#stage.dataset.quiet = 'true';
    }, QUIET_AFTER_MS);
  }
}

function element<Kind extends HTMLElement>(selector: string): Kind {
  return document.querySelector<Kind>(selector)!;
}

/** Leaves text that says the same untouched: a live region would announce it again. */
function setText(target: HTMLElement, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}
