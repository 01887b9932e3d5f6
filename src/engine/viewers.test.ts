import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connectivityCheck } from '../../test/support/stun-check.ts';
import {
  AUDIO,
  BROWSER,
  DTLS,
  FATAL,
  REMOTE,
  RTP,
  type RtpMedia,
  rtpViewer,
  setUpViewers,
  VIDEO,
} from '../../test/support/viewers.ts';

describe('the shared port', () => {
  it('is one socket for each family that is announced, with one number', () => {
    const { sockets, port } = setUpViewers({ addresses: ['192.0.2.1', '2001:db8::1', '127.0.0.1'] });
    assert.deepEqual(
      sockets.map(({ options }) => [options.address, options.port]),
      [
        ['0.0.0.0', 0],
        ['::', 40_000],
      ],
    );
    assert.equal(port, 40_000);
  });

  it('gives a browser credentials that nobody guesses, and every address', () => {
    const { addBrowser } = setUpViewers({ addresses: ['192.0.2.1', '2001:db8::1'] });
    const [one, other] = [addBrowser('a').local, addBrowser('b').local];
    assert.match(one.iceUfrag, /^[A-Za-z0-9+/]{8}$/);
    assert.match(one.icePwd, /^[A-Za-z0-9+/]{24}$/);
    assert.notEqual(one.icePwd, other.icePwd);
    assert.notEqual(one.streams[0]?.ssrc, other.streams[0]?.ssrc);
    assert.deepEqual(one.candidates, [
      { address: '192.0.2.1', port: 40_000 },
      { address: '2001:db8::1', port: 40_000 },
    ]);
    assert.equal(one.fingerprint, 'AA:BB');
    assert.equal(new Set(one.streams.map(({ cname }) => cname)).size, 1);
  });
});

describe('a datagram on the shared port', () => {
  it('that is a check finds its viewer by the user name, and is answered', () => {
    const { addBrowser, deliver, shared } = setUpViewers();
    addBrowser('a');
    const { check } = addBrowser('b');
    deliver(check);
    assert.deepEqual(shared.sent, ['192.0.2.9 50000']);
  });

  it('that is anything else finds its viewer by the address that a check proved', () => {
    const { addBrowser, deliver } = setUpViewers();
    const [a, b] = [addBrowser('a'), addBrowser('b')];
    deliver(DTLS);
    assert.deepEqual([a.session.received, b.session.received], [0, 0]);
    deliver(b.check);
    deliver(DTLS);
    deliver(DTLS, { ...BROWSER, remotePort: 50_001 });
    assert.deepEqual([a.session.received, b.session.received], [0, 1]);
  });

  it('from an address that calls again is the new call’s', () => {
    const { addBrowser, deliver, viewers } = setUpViewers();
    const [a, b] = [addBrowser('a'), addBrowser('b')];
    deliver(a.check);
    deliver(b.check);
    deliver(DTLS);
    assert.deepEqual([a.session.received, b.session.received], [0, 1]);
    viewers.remove('a');
    deliver(DTLS);
    assert.equal(b.session.received, 2);
  });

  it('for a viewer that is gone is left', () => {
    const { addBrowser, deliver, viewers, shared } = setUpViewers();
    const { check, session } = addBrowser('a');
    deliver(check);
    viewers.remove('a');
    deliver(check);
    deliver(DTLS);
    assert.deepEqual([session.received, shared.sent.length, viewers.size], [0, 1, 0]);
  });

  it('that hits a fault of ours ends nobody else', () => {
    const { addBrowser, deliver, faults } = setUpViewers();
    const { check, session } = addBrowser('a');
    deliver(check);
    deliver(FATAL);
    deliver(DTLS);
    assert.deepEqual([faults, session.received], [['a: Error: a fault of ours'], 2]);
  });

  it('from a browser that moves often is heard where it is now', () => {
    const { addBrowser, deliver } = setUpViewers();
    const { check, session } = addBrowser('a');
    deliver(check);
    for (let remotePort = 1; remotePort <= 100; remotePort++) {
      deliver(check, { ...BROWSER, remotePort });
      deliver(check);
    }
    deliver(DTLS, { ...BROWSER, remotePort: 100 });
    deliver(DTLS);
    deliver(DTLS, { ...BROWSER, remotePort: 1 });
    assert.equal(session.received, 2);
  });

  it('attack: a check for nobody is not answered', () => {
    const { addBrowser, deliver, shared } = setUpViewers();
    addBrowser('a');
    deliver(connectivityCheck({ username: 'nobody:theirs', password: 'x' }));
    deliver(Buffer.alloc(20));
    assert.deepEqual(shared.sent, []);
  });

  it('attack: a viewer who checks from everywhere fills no table, and takes no other’s place', () => {
    const { addBrowser, deliver } = setUpViewers();
    const { check, session } = addBrowser('a');
    for (let remotePort = 1; remotePort <= 1_000; remotePort++) deliver(check, { ...BROWSER, remotePort });
    for (let remotePort = 1; remotePort <= 1_000; remotePort++) deliver(DTLS, { ...BROWSER, remotePort });
    assert.equal(session.received, 16);
  });
});

describe('a phone', () => {
  it('gets a pair of ports for each medium, bound to the family of its address', () => {
    const { viewers, sockets } = setUpViewers();
    const local = viewers.add(rtpViewer('a')) as RtpMedia;
    assert.deepEqual(
      local.streams.map(({ kind, port, rtcpPort }) => [kind, port, rtcpPort]),
      [
        ['video', 41_000, 41_001],
        ['audio', 41_002, 41_003],
      ],
    );
    assert.equal(local.address, '192.0.2.1');
    assert.ok(sockets.every(({ options }) => options.address === '0.0.0.0'));
    assert.equal(viewers.stats().sockets, 5);
  });

  it('gives its ports back when it leaves', () => {
    const { viewers, sockets } = setUpViewers({ last: 41_003 });
    viewers.add(rtpViewer('a'));
    assert.throws(() => viewers.add(rtpViewer('b')), { code: 'RTP_PORTS_EXHAUSTED' });
    viewers.remove('a');
    assert.ok(sockets.slice(1).every(({ open }) => !open));
    viewers.add(rtpViewer('b'));
  });

  it('for which only one pair is left takes none', () => {
    const { viewers } = setUpViewers({ last: 41_001 });
    assert.throws(() => viewers.add(rtpViewer('a')), { code: 'RTP_PORTS_EXHAUSTED' });
    assert.deepEqual([viewers.size, viewers.stats().sockets], [0, 1]);
    viewers.add(rtpViewer('a', [AUDIO]));
  });

  it('is heard at its own sockets', () => {
    const { viewers, sockets, deliver, happened, emitted } = setUpViewers();
    viewers.add(rtpViewer('a'));
    deliver(RTP, { ...BROWSER, remotePort: 7000 }, sockets[1]);
    assert.deepEqual(happened(), ['add stream of 108', '1 goes to 192.0.2.9 7000']);
    assert.deepEqual(emitted, [{ type: 'viewerConnected', id: 'a' }]);
  });
});

describe('a stream', () => {
  it('watches its feed once its packets may flow, and not before', () => {
    const { viewers, happened, keyFrame, asked } = setUpViewers();
    viewers.add(rtpViewer('a', [VIDEO]));
    keyFrame(1);
    assert.deepEqual([happened(), asked], [[], []]);
    viewers.confirm('a');
    assert.deepEqual(asked, [1]);
    keyFrame(1);
    assert.deepEqual(happened(), ['add stream of 108', '1 goes to 192.0.2.9 6000', '1 watches 500']);
  });

  it('has the identity of the answer, and begins where the rollover counter is clear', () => {
    const { viewers, streams } = setUpViewers();
    const local = viewers.add(rtpViewer('a')) as RtpMedia;
    viewers.confirm('a');
    assert.deepEqual(
      streams.map(({ ssrc }) => ssrc),
      local.streams.map(({ ssrc }) => ssrc),
    );
    assert.ok(streams.every(({ sequenceNumber, srtp }) => sequenceNumber < 2 ** 15 && srtp === null));
  });

  it('leaves its feed on hold and comes back, keeping its place in the fan-out', () => {
    const { viewers, happened, keyFrame } = setUpViewers();
    viewers.add(rtpViewer('a', [VIDEO]));
    viewers.confirm('a');
    keyFrame(1);
    happened();
    const update = (feed: number | null) =>
      viewers.update({ id: 'a', streams: [{ kind: 'video', feed, remote: REMOTE }] });
    update(1);
    assert.deepEqual(happened(), []);
    update(null);
    keyFrame(1);
    assert.deepEqual(happened(), ['1 watches null']);
    update(3);
    keyFrame(3);
    assert.deepEqual(happened(), ['1 watches 500']);
  });

  it('changed before its packets may flow watches the new feed when they do', () => {
    const { viewers, keyFrame, happened, asked } = setUpViewers();
    viewers.add(rtpViewer('a', [{ ...VIDEO, feed: null }]));
    viewers.update({ id: 'a', streams: [{ kind: 'video', feed: 3, remote: null }] });
    viewers.confirm('a');
    keyFrame(3);
    assert.deepEqual(asked, [3]);
    assert.ok(happened().includes('1 watches 500'));
  });

  it('is taken out of feed and fan-out with its viewer', () => {
    const { viewers, happened, keyFrame } = setUpViewers();
    viewers.add(rtpViewer('a', [VIDEO]));
    viewers.confirm('a');
    keyFrame(1);
    happened();
    viewers.remove('a');
    viewers.remove('a');
    assert.deepEqual(happened(), ['1 watches null', 'remove 1']);
  });

  it('moves with the caller, whose new offer may lack it', () => {
    const { viewers, happened } = setUpViewers();
    viewers.add(rtpViewer('a', [VIDEO]));
    viewers.confirm('a');
    happened();
    const remote = { ...REMOTE, port: 8000, rtcpPort: 8001 };
    viewers.update({
      id: 'a',
      streams: [
        { kind: 'audio', feed: 2, remote },
        { kind: 'video', feed: 1, remote },
      ],
    });
    assert.deepEqual(happened(), ['1 goes to 192.0.2.9 8000']);
  });

  it('is reported on by RTCP, and a BYE says that it ends', () => {
    const { viewers, sockets } = setUpViewers();
    viewers.add(rtpViewer('a', [VIDEO]));
    viewers.confirm('a');
    viewers.tick(0n);
    assert.deepEqual(sockets[2]?.sent, ['192.0.2.9 6001']);
    viewers.remove('a');
    assert.deepEqual(sockets[2]?.sent, ['192.0.2.9 6001', '192.0.2.9 6001']);
  });

  it('of a viewer that is not there is nobody’s', () => {
    const { viewers, happened } = setUpViewers();
    viewers.update({ id: 'a', streams: [{ kind: 'video', feed: 1, remote: null }] });
    viewers.confirm('a');
    assert.deepEqual(happened(), []);
  });
});

describe('feedback', () => {
  /** NACKs for packets 7 and 200, then a PLI. */
  const feedback = (ssrc: number) => {
    const compound = Buffer.from(
      '81cd000400000009000000000007000000c80000 81ce00020000000900000000'.replace(' ', ''),
      'hex',
    );
    compound.writeUInt32BE(ssrc, 8);
    compound.writeUInt32BE(ssrc, 28);
    return compound;
  };

  it('is counted, and what is still there is sent again', () => {
    const { viewers, sockets, deliver, asked } = setUpViewers();
    const local = viewers.add(rtpViewer('a', [VIDEO])) as RtpMedia;
    viewers.confirm('a');
    asked.length = 0;
    deliver(feedback(local.streams[0]!.ssrc), { ...BROWSER, remotePort: 6001 }, sockets[2]);
    const { nacksReceived, packetsRetransmitted, keyFrameRequestsReceived } = viewers.stats();
    assert.deepEqual([nacksReceived, packetsRetransmitted, keyFrameRequestsReceived], [2, 1, 1]);
  });

  it('before anything was sent is harmless', () => {
    const { viewers, sockets, deliver } = setUpViewers();
    const local = viewers.add(rtpViewer('a', [{ ...VIDEO, feed: null }])) as RtpMedia;
    deliver(feedback(local.streams[0]!.ssrc), { ...BROWSER, remotePort: 6001 }, sockets[2]);
    const { nacksReceived, packetsRetransmitted } = viewers.stats();
    assert.deepEqual([nacksReceived, packetsRetransmitted], [2, 0]);
  });
});

describe('the figures', () => {
  it('tell browsers from phones, and everything is gone in the end', () => {
    const { viewers, sockets, addBrowser } = setUpViewers();
    addBrowser('a');
    viewers.add(rtpViewer('b', [AUDIO]));
    const { viewers: counted, packetsSent } = viewers.stats();
    assert.deepEqual([counted, packetsSent], [{ webrtc: 1, rtp: 1 }, 7]);
    viewers.close();
    assert.equal(viewers.size, 0);
    assert.ok(sockets.every(({ open }) => !open));
  });
});
