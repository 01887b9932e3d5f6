import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Path } from '../native.ts';
import { RtpViewer, type RtpViewerOptions } from './index.ts';

const OURS = '192.0.2.1';
const PHONE = '192.0.2.9';
const NAT = '203.0.113.5';
const STRANGER = '198.51.100.66';
const REMOTE = { address: PHONE, port: 6000, rtcpPort: 6001, trusted: false };

/** RTP with payload type 0, and RTCP: an empty receiver report and a PLI for SSRC 1. */
const RTP = Buffer.from('80000001000000000000000900', 'hex');
const RTCP = Buffer.from('80c90001000000098 1ce0002000000090000 0001'.replaceAll(' ', ''), 'hex');

const path = (remoteAddress: string, remotePort: number): Path => ({ remoteAddress, remotePort, localAddress: OURS });

/** One video stream unless told otherwise; everything the viewer does is written down. */
function setUp({ remote = REMOTE, peerAddress = PHONE, rtcpMux = false, nack = false } = {}) {
  const events: string[] = [];
  const sent = { packets: 1 };
  const at = ({ remoteAddress, remotePort, localAddress }: Path) => {
    assert.equal(localAddress, OURS);
    return `${remoteAddress}:${remotePort}`;
  };
  const options: RtpViewerOptions = {
    streams: [{ kind: 'video', ssrc: 1, clockRateHz: 90_000, timestampOffset: 0, nack, remote, rtcpMux }],
    cname: 'tv',
    localAddress: OURS,
    peerAddress,
    ports: {
      send: (lane, _datagram, to) => events.push(`send ${lane} to ${at(to)}`),
      proven: () => assert.fail('only a shared port needs to know'),
      flow: (kind, to, srtp) => {
        assert.equal(srtp, null);
        events.push(`flow ${kind} to ${at(to)}`);
      },
      keyFrameWanted: kind => events.push(`key frame of ${kind}`),
      retransmit: (kind, sequenceNumber) => events.push(`again ${kind} ${sequenceNumber}`),
      connected: () => events.push('connected'),
      lost: reason => events.push(`lost: ${reason}`),
      sent: () => ({ packetsSent: sent.packets, octetsSent: 1 }),
    },
  };
  const viewer = new RtpViewer(options);
  let nowMs = 0;
  /** Seconds in which media are sent, unless the caller holds; gives what happened but for our reports. */
  const run = (seconds: number, hold = false) => {
    events.length = 0;
    for (let second = 0; second < seconds; second++, nowMs += 1_000) {
      if (!hold) sent.packets++;
      viewer.tick(nowMs, 0n);
    }
    return events.filter(event => !event.startsWith('send'));
  };
  return { viewer, events, run };
}

describe("a phone's media", () => {
  it('flow to the address of the offer when the ACK came from there', () => {
    const { viewer, events } = setUp();
    viewer.tick(0, 0n);
    assert.deepEqual(events, []);
    viewer.confirm();
    assert.deepEqual(events, [`flow video to ${PHONE}:6000`, 'connected']);
    viewer.confirm();
    assert.equal(events.length, 2);
  });

  it('flow to a relay of ours when the ACK came, wherever that came from, and follow it there', () => {
    const relay = { ...REMOTE, address: NAT, trusted: true };
    const { viewer, events } = setUp({ remote: relay });
    viewer.tick(0, 0n);
    assert.deepEqual(events, []);
    viewer.confirm();
    viewer.updateRemote('video', { ...relay, port: 8000 });
    assert.deepEqual(events, [`flow video to ${NAT}:6000`, 'connected', `flow video to ${NAT}:8000`]);
  });

  it('flow to where its own packets come from, when that is where its signalling comes from', () => {
    const { viewer, events } = setUp({ remote: { ...REMOTE, address: '10.0.0.4' }, peerAddress: NAT });
    viewer.confirm();
    assert.deepEqual(events, []);
    viewer.receive('video:rtp', RTP, path(NAT, 31_000));
    assert.deepEqual(events, [`flow video to ${NAT}:31000`, 'connected']);
  });

  it('follow its packets from another port, and say only once that they flow', () => {
    const { viewer, events } = setUp();
    viewer.confirm();
    viewer.receive('video:rtp', RTP, path(PHONE, 7000));
    viewer.receive('video:rtp', RTP, path(PHONE, 7000));
    assert.deepEqual(events.slice(2), [`flow video to ${PHONE}:7000`]);
  });

  it('flow when its packets come before the ACK, and stay there', () => {
    const { viewer, events } = setUp();
    viewer.receive('video:rtp', RTP, path(PHONE, 7000));
    viewer.confirm();
    assert.deepEqual(events, [`flow video to ${PHONE}:7000`, 'connected']);
  });

  it('move with a re-INVITE to other ports, and stay with one that says the same', () => {
    const { viewer, events } = setUp();
    viewer.confirm();
    viewer.updateRemote('video', { ...REMOTE });
    assert.equal(events.length, 2);
    viewer.updateRemote('video', { ...REMOTE, port: 8000, rtcpPort: 8001 });
    viewer.updateRemote('audio', REMOTE);
    viewer.tick(0, 0n);
    assert.deepEqual(events.slice(2), [`flow video to ${PHONE}:8000`, `send video:rtcp to ${PHONE}:8001`]);
  });
});

describe("a phone's RTCP", () => {
  it('goes to the port of the offer for it', () => {
    const { viewer, events } = setUp();
    viewer.confirm();
    viewer.tick(0, 0n);
    viewer.close();
    assert.deepEqual(events.slice(2), [`send video:rtcp to ${PHONE}:6001`, `send video:rtcp to ${PHONE}:6001`]);
  });

  it('shares the port of RTP when the offer does', () => {
    const { viewer, events } = setUp({ rtcpMux: true });
    viewer.confirm();
    viewer.tick(0, 0n);
    viewer.receive('video:rtp', RTCP, path(PHONE, 6000));
    assert.deepEqual(events.slice(2), [`send video:rtp to ${PHONE}:6000`, 'key frame of video']);
  });

  it('is followed to where it comes from, without moving the media', () => {
    const { viewer, events } = setUp();
    viewer.confirm();
    viewer.receive('video:rtcp', RTCP, path(PHONE, 7001));
    viewer.tick(0, 0n);
    assert.deepEqual(events.slice(2), ['key frame of video', `send video:rtcp to ${PHONE}:7001`]);
  });

  it('is not sent before an address is proven', () => {
    const { viewer, events } = setUp();
    viewer.tick(0, 0n);
    viewer.close();
    assert.deepEqual(events, []);
  });
});

describe('a phone that vanishes', () => {
  const setUpReporting = () => {
    const phone = setUp();
    phone.viewer.confirm();
    for (let n = 0; n < 3; n++) {
      phone.viewer.receive('video:rtcp', RTCP, path(PHONE, 6001));
      phone.run(5);
    }
    return phone;
  };

  it('is lost, once, when its reports stay away', () => {
    const { run } = setUpReporting();
    assert.deepEqual(run(120), ['lost: the phone no longer answers']);
  });

  it('is not lost when it holds for long and then resumes without a report', () => {
    const { viewer, run } = setUpReporting();
    run(20);
    viewer.updateRemote('video', REMOTE);
    assert.deepEqual(run(3_600, true), []);
    viewer.updateRemote('video', REMOTE);
    assert.deepEqual(run(30), []);
    viewer.receive('video:rtp', RTP, path(PHONE, 6000));
    assert.deepEqual(run(30), []);
  });

  it("is not kept by a stranger's packets", () => {
    const { viewer, run } = setUpReporting();
    run(20);
    viewer.receive('video:rtcp', RTCP, path(STRANGER, 6001));
    assert.deepEqual(run(20), ['lost: the phone no longer answers']);
  });
});

describe('attacks on a phone', () => {
  it("a stranger's packets do not draw the stream, neither before nor after it flows", () => {
    const { viewer, events } = setUp();
    for (const lane of ['video:rtp', 'video:rtcp'] as const) {
      for (const datagram of [RTP, RTCP]) viewer.receive(lane, datagram, path(STRANGER, 6000));
    }
    assert.deepEqual(events, []);
    viewer.confirm();
    viewer.receive('video:rtp', RTP, path(STRANGER, 6000));
    viewer.receive('video:rtcp', RTCP, path(STRANGER, 6001));
    viewer.tick(0, 0n);
    assert.deepEqual(events.slice(2), [`send video:rtcp to ${PHONE}:6001`]);
  });

  it('an offer that names a victim draws nothing to it: the ACK does not come from there', () => {
    const { viewer, events } = setUp({ remote: { ...REMOTE, address: STRANGER }, peerAddress: PHONE });
    viewer.confirm();
    viewer.tick(0, 0n);
    assert.deepEqual(events, []);
  });

  it('a re-INVITE that names a victim draws nothing to it', () => {
    const { viewer, events } = setUp();
    viewer.confirm();
    viewer.updateRemote('video', { ...REMOTE, address: STRANGER });
    viewer.tick(0, 0n);
    assert.deepEqual(events.slice(2), []);
    viewer.receive('video:rtp', RTP, path(PHONE, 6000));
    assert.deepEqual(events.slice(2), [`flow video to ${PHONE}:6000`]);
  });

  it('what is neither RTP nor RTCP proves nothing', () => {
    const { viewer, events } = setUp();
    for (const datagram of [Buffer.alloc(0), Buffer.of(0x80), Buffer.from('hello, phone'), Buffer.alloc(20)]) {
      viewer.receive('video:rtp', datagram, path(PHONE, 6000));
    }
    assert.deepEqual(events, []);
  });

  it('a lane that it does not have is nobody’s', () => {
    const { viewer, events } = setUp();
    viewer.receive('audio:rtp', RTP, path(PHONE, 6000));
    viewer.receive('all', RTP, path(PHONE, 6000));
    assert.deepEqual(events, []);
  });
});
