import assert from 'node:assert/strict';
import { test } from 'node:test';
import { preferStereo } from './sdp.ts';

const OFFER = [
  'm=audio 9 UDP/TLS/RTP/SAVPF 111 63 8',
  'a=rtpmap:111 opus/48000/2',
  'a=fmtp:111 minptime=10;useinbandfec=1',
  'a=rtpmap:63 red/48000/2',
  'a=fmtp:63 111/111',
  '',
].join('\r\n');

test('Opus, and nothing else, is asked for in stereo', () => {
  assert.equal(preferStereo(OFFER), OFFER.replace('useinbandfec=1', 'useinbandfec=1;stereo=1'));
});

test('an offer that speaks of stereo already, or has no Opus, stays as it is', () => {
  const stereo = OFFER.replace('minptime=10', 'stereo=1');
  assert.equal(preferStereo(stereo), stereo);
  const without = OFFER.replaceAll('opus', 'PCMA');
  assert.equal(preferStereo(without), without);
});
