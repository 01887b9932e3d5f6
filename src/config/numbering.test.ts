import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ChannelWish, withChannels } from './index.ts';

const BEFORE = [{ number: 7, name: '1002', title: 'Seven', source: 'testcard:', loop: false }];
const wish = (title: string, number?: number): ChannelWish => ({
  title,
  source: 'testcard:',
  loop: false,
  ...(number !== undefined && { number }),
});

/** Numbers and names of what is added. */
const added = (...wishes: ChannelWish[]) =>
  withChannels(BEFORE, wishes, 1001)
    .slice(1)
    .map(({ number, name }) => [number, name]);

describe('channels that are added get', () => {
  it('the numbers that they wish for, before others can take them', () => {
    assert.deepEqual(added(wish('a'), wish('b', 1001), wish('c')), [
      [1003, 'a'],
      [1001, 'b'],
      [1004, 'c'],
    ]);
  });

  it('another number when theirs is taken, also as a name', () => {
    assert.deepEqual(added(wish('a', 7), wish('b', 1002), wish('c', 3), wish('d', 3)), [
      [1001, 'a'],
      [1003, 'b'],
      [3, 'c'],
      [1004, 'd'],
    ]);
  });

  it("a name of their own, made of the title, that is nobody's number", () => {
    assert.deepEqual(
      added(wish('Das Érste HD'), wish('das erste-hd'), wish('7'), wish('新聞'), wish('x'.repeat(100), 1)).map(
        ([, name]) => name,
      ),
      ['das-e-rste-hd', 'das-erste-hd', '7-2', 'channel', 'x'.repeat(56)],
    );
  });

  it('all of this though they are many of one title', () => {
    const wishes = Array.from({ length: 20_000 }, () => wish('News'));
    assert.deepEqual(withChannels([], wishes, 1).at(-1)?.name, 'news-20000');
  });

  it('nothing of those before them', () => {
    assert.deepEqual(withChannels(BEFORE, [wish('a')], 1)[0], BEFORE[0]);
  });
});
