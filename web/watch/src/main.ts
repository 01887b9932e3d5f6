import './style.css';
import { type CallAction, type CallEvent, CallMachine, type CallState } from './call-machine.ts';
import { findChannel, neighbour } from './channels.ts';
import { Controls } from './controls.ts';
import { Guide } from './guide.ts';
import { RemoteControl } from './remote-control.ts';
import { Screen } from './screen.ts';
import type { SipCall } from './sip-call.ts';
import { SipLine } from './sip-line.ts';

const WATCH_PATH = /^\/watch\/([^/]+)\/?$/;

function start(): void {
  const domain = sipDomain();
  const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/sip`;
  // Before all else: the call cannot start sooner than its line.
  const line = new SipLine({
    url,
    domain,
    onUp: () => handle({ type: 'lineUp' }),
    onDown: () => handle({ type: 'lineDown' }),
  });
  const machine = new CallMachine(Math.random);
  let call: SipCall | null = null;
  let retryTimer: ReturnType<typeof setTimeout> | undefined;

  const video = document.querySelector('video')!;
  const screen = new Screen(video, {
    shown: () => {
      performance.mark('dialcast:first-frame');
      handle({ type: 'shown' });
    },
    stalled: () => handle({ type: 'lost' }),
    soundChanged: () => controls.showSound(screen.sound, screen.volume),
  });
  const guide = new Guide(document.querySelector('#channels')!, document.querySelector('#guide-note')!, {
    chosen: target => choose(target),
    listed: () => render(),
  });
  // What a phone elsewhere has to dial: "localhost" would be itself.
  const controls = new Controls(domain === 'localhost' ? location.hostname : domain, {
    hangUp: () => hangUp(),
    again: () => {
      if (machine.state.name === 'ended') choose(machine.state.target);
    },
    step: steps => step(steps),
    toggleSound: () => screen.toggleSound(),
    setVolume: volume => {
      screen.volume = volume;
    },
  });
  new RemoteControl({
    channels: () => guide.channels,
    dialling: digits => controls.showDigits(digits),
    dialled: number => choose(findChannel(guide.channels, number)?.name ?? number),
    step: steps => step(steps),
    press: key => call?.press(key),
    toggleSound: () => screen.toggleSound(),
    toggleFullScreen: () => controls.toggleFullScreen(),
    hangUp: () => hangUp(),
  });

  function handle(event: CallEvent): void {
    const before = machine.state;
    for (const action of machine.handle(event)) carryOut(action);
    const { name } = machine.state;
    if (before.name !== name && (name === 'idle' || name === 'ended')) screen.clear();
    render();
  }

  function carryOut(action: CallAction): void {
    switch (action.type) {
      case 'call':
        call = placeCall(action.target);
        return;
      case 'hangUp':
        screen.release();
        call?.hangUp();
        call = null;
        return;
      case 'retryAfter':
        retryTimer = setTimeout(() => handle({ type: 'retryDue' }), action.delayMs);
        return;
      case 'cancelRetry':
        clearTimeout(retryTimer);
        return;
    }
  }

  function placeCall(target: string): SipCall {
    return line.call(target, {
      prepared: connection => screen.attach(connection),
      answered: connection => {
        performance.mark('dialcast:answered');
        screen.answered(connection);
        handle({ type: 'answered' });
      },
      refused: (status, phrase, retryAfterSeconds) => over({ type: 'refused', status, phrase, retryAfterSeconds }),
      ended: cause => over({ type: 'ended', cause }),
      lost: () => over({ type: 'lost' }),
      unheard: () => line.renew(),
    });
  }

  function over(event: CallEvent): void {
    // A track that ends shows one last, black frame, which is not the picture that the screen waits for.
    screen.release();
    handle(event);
  }

  function choose(target: string): void {
    const path = `/watch/${encodeURIComponent(target)}`;
    if (location.pathname !== path) history.pushState(null, '', path);
    watch(target);
  }

  function watch(target: string): void {
    for (const name of ['dialcast:play', 'dialcast:answered', 'dialcast:first-frame']) performance.clearMarks(name);
    performance.mark('dialcast:play');
    line.hurry();
    handle({ type: 'chosen', target });
  }

  function hangUp(): void {
    if (machine.state.name === 'idle') return;
    if (location.pathname !== '/') history.pushState(null, '', '/');
    handle({ type: 'hungUp' });
  }

  function step(steps: 1 | -1): void {
    const target = targetOf(machine.state);
    const from = target === null ? null : (findChannel(guide.channels, target)?.name ?? null);
    const channel = neighbour(guide.channels, from, steps);
    if (channel !== null) choose(channel.name);
  }

  function followAddress(): void {
    const target = location.pathname.match(WATCH_PATH)?.[1];
    if (target !== undefined) watch(decodeTarget(target));
    else handle({ type: 'hungUp' });
  }

  function render(): void {
    const target = targetOf(machine.state);
    const channel = target === null ? null : findChannel(guide.channels, target);
    guide.current = machine.state.name === 'ended' ? null : (channel?.name ?? target);
    controls.showState(machine.state, channel, guide.channels[0] ?? null);
    controls.showPicture(screen.hasPicture);
    controls.showSound(screen.sound, screen.volume);
  }

  addEventListener('popstate', followAddress);
  addEventListener('online', () => {
    line.hurry();
    handle({ type: 'networkBack' });
  });
  // The BYE goes out before the page does; a page that comes back from the cache has lost its WebSocket and opens it anew.
  addEventListener('pagehide', () => {
    for (const action of machine.handle({ type: 'lineDown' })) carryOut(action);
  });
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted) line.renew();
  });
  line.open();
  followAddress();
  void guide.refresh();
}

/** The server writes its SIP domain into the page; a development server does not. */
function sipDomain(): string {
  const written = document.querySelector<HTMLMetaElement>('meta[name="dialcast-domain"]')?.content ?? '';
  return written === '' || written.startsWith('%') ? location.hostname : written;
}

function targetOf(state: CallState): string | null {
  return state.name === 'idle' ? null : state.target;
}

function decodeTarget(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

if ('RTCPeerConnection' in window) start();
else document.querySelector('#unsupported')!.removeAttribute('hidden');
