import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connectivityCheck } from '../../../test/support/stun-check.ts';
import type { DtlsTransport } from '../dtls/index.ts';
import { IceLite } from '../ice/index.ts';
import type { DtlsState, Path, SrtpKeys } from '../native.ts';
import { WebrtcViewer } from './index.ts';

const PASSWORD = 'our/password+of+24/chars';
const BROWSER: Path = { remoteAddress: '192.0.2.9', remotePort: 50_000, localAddress: '192.0.2.1' };
const MOBILE: Path = { remoteAddress: '203.0.113.5', remotePort: 51_000, localAddress: '192.0.2.1' };
const STRANGER: Path = { remoteAddress: '198.51.100.66', remotePort: 52_000, localAddress: '192.0.2.1' };
const KEYS: SrtpKeys = {
  profile: 'AEAD_AES_128_GCM',
  encryptionKey: Buffer.alloc(16),
  salt: Buffer.alloc(12),
  authenticationKey: Buffer.alloc(0),
};

const DTLS = Buffer.concat([Buffer.of(22), Buffer.alloc(20)]);
const RTP = Buffer.from('806000010000000000000009', 'hex');
/** What the fake transport takes for the browser's: a PLI for SSRC 1. */
const RTCP = Buffer.from('81ce00020000000900000001', 'hex');

const check = (nominate = false, password = PASSWORD) =>
  connectivityCheck({ username: 'ours:theirs', password, nominate });

/** DTLS that answers each datagram with one, in the state that the test says. */
class FakeDtls {
  state: DtlsState = 'handshaking';
  error: string | null = null;
  received = 0;
  retransmissions: Buffer[] = [];

  get srtpKeys(): SrtpKeys | null {
    return this.state === 'connected' ? KEYS : null;
  }

  receive(): Buffer[] {
    this.received++;
    return [Buffer.from('flight')];
  }

  handleTimeout(): Buffer[] {
    return this.retransmissions.splice(0);
  }

  protectRtcp(): Buffer | null {
    return this.state === 'connected' ? Buffer.from('report') : null;
  }

  unprotectRtcp(packet: Buffer): Buffer | null {
    return this.state === 'connected' && packet.equals(RTCP) ? packet : null;
  }

  close(): Buffer[] {
    return [Buffer.from('close_notify')];
  }
}

function setUp() {
  const events: string[] = [];
  const dtls = new FakeDtls();
  const at = ({ remoteAddress }: Path) => remoteAddress;
  const text = (datagram: Uint8Array) => (datagram[0] === 1 ? 'STUN' : Buffer.from(datagram).toString());
  const viewer = new WebrtcViewer({
    streams: [
      { kind: 'video', ssrc: 1, clockRateHz: 90_000, timestampOffset: 0, nack: true },
      { kind: 'audio', ssrc: 2, clockRateHz: 48_000, timestampOffset: 0, nack: false },
    ],
    cname: 'tv',
    ice: new IceLite({ localUfrag: 'ours', localPwd: PASSWORD, remoteUfrag: 'theirs', nowMs: 0 }),
    dtls: dtls as unknown as DtlsTransport,
    nowMs: 0,
    ports: {
      send: (lane, datagram, path) => {
        assert.equal(lane, 'all');
        events.push(`${text(datagram)} to ${at(path)}`);
      },
      proven: path => events.push(`proven ${at(path)}`),
      flow: (kind, path, srtp) => {
        assert.equal(srtp, KEYS);
        events.push(`flow ${kind} to ${at(path)}`);
      },
      keyFrameWanted: kind => events.push(`key frame of ${kind}`),
      retransmit: (kind, sequenceNumber) => events.push(`again ${kind} ${sequenceNumber}`),
      connected: () => events.push('connected'),
      lost: reason => events.push(`lost: ${reason}`),
      sent: () => ({ packetsSent: 1, octetsSent: 1 }),
    },
  });
  /** What happened since it was asked last. */
  const happened = () => events.splice(0);
  const connect = () => {
    viewer.receive('all', check(true), BROWSER, 0);
    dtls.state = 'connected';
    viewer.receive('all', DTLS, BROWSER, 0);
    return happened();
  };
  return { viewer, dtls, happened, connect };
}

describe('a browser', () => {
  it('is connected by a check, then by DTLS, and then its media flow', () => {
    const { viewer, dtls, happened } = setUp();
    viewer.receive('all', check(), BROWSER, 0);
    assert.deepEqual(happened(), ['STUN to 192.0.2.9', 'proven 192.0.2.9']);
    viewer.receive('all', DTLS, BROWSER, 0);
    assert.deepEqual(happened(), ['flight to 192.0.2.9']);
    dtls.state = 'connected';
    viewer.receive('all', DTLS, BROWSER, 0);
    assert.deepEqual(happened(), [
      'flight to 192.0.2.9',
      'flow video to 192.0.2.9',
      'flow audio to 192.0.2.9',
      'connected',
    ]);
    viewer.receive('all', DTLS, BROWSER, 0);
    assert.deepEqual(happened(), ['flight to 192.0.2.9']);
  });

  it('that moves takes its media with it, when it nominates the new path', () => {
    const { viewer, happened, connect } = setUp();
    connect();
    viewer.receive('all', check(), MOBILE, 100);
    assert.deepEqual(happened(), ['STUN to 203.0.113.5', 'proven 203.0.113.5']);
    viewer.tick(1_000, 0n);
    assert.deepEqual(happened(), ['report to 192.0.2.9', 'report to 192.0.2.9']);
    viewer.receive('all', check(true), MOBILE, 1_100);
    assert.deepEqual(happened().slice(2), ['flow video to 203.0.113.5', 'flow audio to 203.0.113.5']);
    viewer.tick(2_000, 0n);
    assert.deepEqual(happened(), ['report to 203.0.113.5', 'report to 203.0.113.5']);
  });

  it('is sent the last flight of the handshake again when it is due', () => {
    const { viewer, dtls, happened } = setUp();
    viewer.receive('all', check(), BROWSER, 0);
    happened();
    dtls.retransmissions = [Buffer.from('flight again')];
    viewer.tick(1_000, 0n);
    assert.deepEqual(happened(), ['flight again to 192.0.2.9']);
  });

  it('gets no reports before it is connected', () => {
    const { viewer, happened } = setUp();
    viewer.receive('all', check(true), BROWSER, 0);
    happened();
    viewer.tick(5_000, 0n);
    assert.deepEqual(happened(), []);
  });

  it('has its feedback heard once it is connected', () => {
    const { viewer, happened, connect } = setUp();
    connect();
    viewer.receive('all', RTCP, BROWSER, 0);
    assert.deepEqual(happened(), ['key frame of video']);
  });

  it('is said goodbye to: BYE for each stream, then close_notify', () => {
    const { viewer, happened, connect } = setUp();
    connect();
    viewer.close();
    assert.deepEqual(happened(), ['report to 192.0.2.9', 'report to 192.0.2.9', 'close_notify to 192.0.2.9']);
  });
});

describe('a browser is lost', () => {
  const lost = (reason: string) => [`lost: ${reason}`];

  it('30 seconds after its last check (RFC 7675), and not before', () => {
    const { viewer, happened, connect } = setUp();
    connect();
    viewer.receive('all', check(), BROWSER, 25_000);
    happened();
    viewer.tick(55_000, 0n);
    assert.ok(!happened().some(event => event.startsWith('lost')));
    viewer.tick(55_001, 0n);
    assert.deepEqual(
      happened().filter(event => event.startsWith('lost')),
      lost('the browser no longer answers'),
    );
  });

  it('30 seconds after it was made, when it checks but never connects', () => {
    const { viewer, happened } = setUp();
    viewer.receive('all', check(), BROWSER, 20_000);
    happened();
    viewer.tick(30_000, 0n);
    assert.deepEqual(happened(), []);
    viewer.tick(30_001, 0n);
    assert.deepEqual(happened(), lost('the browser did not connect'));
  });

  it('when its handshake fails', () => {
    const { viewer, dtls, happened } = setUp();
    viewer.receive('all', check(), BROWSER, 0);
    happened();
    dtls.state = 'failed';
    dtls.error = 'the certificate is not the one of the offer';
    viewer.receive('all', DTLS, BROWSER, 0);
    assert.deepEqual(happened().slice(1), lost('DTLS failed: the certificate is not the one of the offer'));
  });

  it('when it closes the connection', () => {
    const { viewer, dtls, happened, connect } = setUp();
    connect();
    dtls.state = 'closed';
    viewer.receive('all', DTLS, BROWSER, 0);
    assert.deepEqual(happened().slice(1), lost('the browser closed the connection'));
  });

  it('once, however long it is gone', () => {
    const { viewer, happened, connect } = setUp();
    connect();
    for (const nowMs of [30_001, 30_051, 90_000]) viewer.tick(nowMs, 0n);
    assert.equal(happened().filter(event => event.startsWith('lost')).length, 1);
  });
});

describe('attacks on a browser’s viewer', () => {
  it('nothing but STUN is looked at before a check is valid', () => {
    const { viewer, dtls, happened } = setUp();
    dtls.state = 'connected';
    for (const datagram of [DTLS, RTP, Buffer.alloc(0), Buffer.from('hello'), Buffer.alloc(100, 70)]) {
      viewer.receive('all', datagram, STRANGER, 0);
    }
    assert.deepEqual([happened(), dtls.received], [[], 0]);
  });

  it('a check with a wrong password opens nothing', () => {
    const { viewer, dtls, happened } = setUp();
    viewer.receive('all', check(true, 'a guess of the password'), STRANGER, 0);
    viewer.receive('all', DTLS, STRANGER, 0);
    assert.deepEqual([happened(), dtls.received], [['STUN to 198.51.100.66'], 0]);
  });

  it('a check with a wrong password moves nothing, and is no consent', () => {
    const { viewer, happened, connect } = setUp();
    connect();
    viewer.receive('all', check(true, 'a guess of the password'), STRANGER, 29_000);
    assert.deepEqual(happened(), ['STUN to 198.51.100.66']);
    viewer.tick(30_001, 0n);
    assert.ok(happened().includes('lost: the browser no longer answers'));
  });

  it('RTCP that is not authentic is left', () => {
    const { viewer, happened, connect } = setUp();
    connect();
    viewer.receive('all', Buffer.from(RTCP.toString('hex').replace(/1$/, '2'), 'hex'), BROWSER, 0);
    assert.deepEqual(happened(), []);
  });
});
