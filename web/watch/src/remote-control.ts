import { type Channel, dialled } from './channels.ts';

export interface RemoteControlHandlers {
  channels(): readonly Channel[];
  /** The digits pressed so far; empty when dialling is over. */
  dialling(digits: string): void;
  /** A whole number was dialled, whether there is such a channel or not. */
  dialled(number: string): void;
  step(steps: 1 | -1): void;
  /** A key of a phone, which moves in a film. */
  press(key: string): void;
  toggleSound(): void;
  toggleFullScreen(): void;
  hangUp(): void;
}

/** A viewer who pauses this long has dialled the whole number. */
const DIGIT_TIMEOUT_MS = 1_500;
const MAX_DIGITS = 6;

const KEYS: Readonly<Record<string, (handlers: RemoteControlHandlers) => void>> = {
  ArrowUp: handlers => handlers.step(1),
  ArrowDown: handlers => handlers.step(-1),
  PageUp: handlers => handlers.step(1),
  PageDown: handlers => handlers.step(-1),
  ArrowLeft: handlers => handlers.press('4'),
  ArrowRight: handlers => handlers.press('6'),
  ' ': handlers => handlers.press('5'),
  m: handlers => handlers.toggleSound(),
  f: handlers => handlers.toggleFullScreen(),
};

/** The keyboard as a television's remote control. */
export class RemoteControl {
  readonly #handlers: RemoteControlHandlers;
  #digits = '';
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(handlers: RemoteControlHandlers) {
    this.#handlers = handlers;
    document.addEventListener('keydown', event => this.#pressed(event));
  }

  #pressed(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    // A slider takes its own arrows.
    if (event.target instanceof HTMLInputElement) return;
    // And a button or link the space bar.
    if (event.key === ' ' && event.target !== document.body) return;
    if (this.#take(event.key)) event.preventDefault();
  }

  /** Acts on a key; says whether it was one of ours. */
  #take(key: string): boolean {
    if (/^\d$/.test(key)) this.#digit(key);
    else if (key === 'Enter' && this.#digits !== '') this.#commit();
    else if (key === 'Escape' && this.#digits !== '') this.#clear();
    // The browser itself leaves full screen with this key.
    else if (key === 'Escape' && document.fullscreenElement === null) this.#handlers.hangUp();
    else {
      const action = KEYS[key.length === 1 ? key.toLowerCase() : key];
      action?.(this.#handlers);
      return action !== undefined;
    }
    return true;
  }

  #digit(digit: string): void {
    clearTimeout(this.#timer);
    this.#digits = (this.#digits + digit).slice(0, MAX_DIGITS);
    this.#handlers.dialling(this.#digits);
    const { channel, open } = dialled(this.#handlers.channels(), this.#digits);
    if (channel !== null && !open) this.#commit();
    else this.#timer = setTimeout(() => this.#commit(), DIGIT_TIMEOUT_MS);
  }

  #commit(): void {
    const digits = this.#digits;
    this.#clear();
    this.#handlers.dialled(digits);
  }

  #clear(): void {
    clearTimeout(this.#timer);
    this.#digits = '';
    this.#handlers.dialling('');
  }
}
