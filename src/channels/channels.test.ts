import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ChannelConfig } from '../config/index.ts';
import { Channels } from './index.ts';

const INFO = { video: { width: 1280, height: 720, frameRate: 30 }, audio: null };

const config = (name: string, number: number, more: Partial<ChannelConfig> = {}): ChannelConfig => ({
  number,
  name,
  title: name,
  source: 'testcard:',
  loop: false,
  ...more,
});

/** A catalogue whose transcoders only write down what they are to play. */
function setUp(...configs: ChannelConfig[]) {
  const events: string[] = [];
  const channels = new Channels(configs, {
    startTranscoder: ({ name, source }) => events.push(`start ${name} from ${source}`),
    stopTranscoder: ({ name }) => events.push(`stop ${name}`),
    openFeed: () => 1,
    closeFeed: () => undefined,
    films: {
      openFeed: () => 1,
      moveReel: async () => undefined,
      progress: () => null,
      nowMs: () => 0,
    },
    availabilityChanged: () => undefined,
    slateChanged: () => undefined,
    timers: { setTimeout: () => 1, clearTimeout: () => undefined },
  });
  const open = async (name: string) => {
    const opening = channels.find(name)!.open(() => undefined);
    channels.sourceOpened(name, INFO);
    return opening;
  };
  const listed = () => channels.list().map(channel => channel.config.name);
  return { channels, events, open, listed };
}

describe('a catalogue that is replaced', () => {
  it('has the new channels in their order, by name and by number', () => {
    const { channels, listed } = setUp(config('a', 1), config('b', 2));
    channels.replace([config('c', 1), config('b', 3)]);
    assert.deepEqual(listed(), ['c', 'b']);
    const found = ['a', 'b', 'c', '1', '2', '3'].map(target => channels.find(target)?.config.name ?? null);
    assert.deepEqual(found, [null, 'b', 'c', 'c', null, 'b']);
  });

  it('lets who watches a channel go on, and plays the new source with the next start', async () => {
    const { channels, events, open } = setUp(config('a', 1));
    await open('a');
    const channel = channels.find('a');
    channels.replace([config('a', 9, { title: 'A', source: 'testcard:new' })]);
    assert.deepEqual([channels.find('9'), channel?.config.title, channel?.viewers], [channel, 'A', 1]);
    channel?.shutDown();
    await open('a');
    assert.deepEqual(events, ['start a from testcard:', 'stop a', 'start a from testcard:new']);
  });

  it('keeps a channel that is gone until it is off the air, and gives its number to who has it now', async () => {
    const { channels, open, listed } = setUp(config('a', 1), config('b', 2));
    await open('a');
    channels.replace([config('c', 1)]);
    assert.deepEqual(listed(), ['c', 'a']);
    assert.equal(channels.find('1')?.config.name, 'c');
    channels.sourceOut('a', 'connection refused');
    assert.equal(channels.find('a')?.outage, 'connection refused');
    channels.find('a')?.shutDown();
    channels.replace([config('c', 1)]);
    assert.deepEqual([listed(), channels.find('a')], [['c'], null]);
  });
});

describe('a thumbnail', () => {
  it('is kept by its channel, unless it is larger than one can be', async () => {
    const { channels, open } = setUp(config('a', 1));
    await open('a');
    channels.thumbnailMade('a', { jpeg: new Uint8Array(262_144), takenAtMs: 1 });
    channels.thumbnailMade('a', { jpeg: new Uint8Array(262_145), takenAtMs: 2 });
    channels.thumbnailMade('b', { jpeg: new Uint8Array(1), takenAtMs: 3 });
    assert.equal(channels.find('a')?.thumbnail?.takenAtMs, 1);
  });
});
