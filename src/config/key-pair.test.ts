import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { Certificates } from '../../test/support/certificates.ts';
import { type KeyPair, type KeyPairFiles, readKeyPair } from './key-pair.ts';
import { watchKeyPair } from './key-pair-watch.ts';

const certificates = new Certificates();
after(() => certificates.remove());
const [first, second] = [certificates.issue('first', ['localhost']), certificates.issue('second', ['localhost'])];

function pairOf(files: KeyPairFiles): KeyPair {
  const reading = readKeyPair(files);
  assert.ok('pair' in reading);
  return reading.pair;
}

describe('a key pair', () => {
  it('is read as it stands in the files', () => {
    const { certificate, key } = pairOf(first);
    assert.deepEqual([certificate, key], [readFileSync(first.certificate), readFileSync(first.key)]);
  });

  for (const [name, files, at, fault] of [
    [
      'a certificate that is not there',
      { ...first, certificate: '/nowhere.pem' },
      'certificate',
      /^\/nowhere\.pem .*ENOENT/,
    ],
    ['a folder for a key', { ...first, key: certificates.folder }, 'key', /cannot be read \(EISDIR\)/],
    ['a key for a certificate', { ...first, certificate: first.key }, 'certificate', /first\.key holds no certificate/],
    ['a certificate for a key', { ...first, key: first.certificate }, 'key', /first\.pem holds no private key/],
    ["another certificate's key", { ...first, key: second.key }, 'key', /second\.key is not the key of .*first\.pem/],
  ] as const) {
    it(`is refused for ${name}, with nothing of what is in the files`, () => {
      const reading = readKeyPair(files);
      assert.ok('fault' in reading);
      assert.equal(reading.fault.at, at);
      assert.match(reading.fault.fault, fault);
      assert.doesNotMatch(JSON.stringify(reading.fault), /BEGIN (?:EC )?PRIVATE/);
    });
  }
});

describe('a key pair that is in use', () => {
  const files = { certificate: join(certificates.folder, 'used.pem'), key: join(certificates.folder, 'used.key') };
  let look: () => void;
  let stopped: boolean;
  let told: string[];

  const install = (from: KeyPairFiles) => {
    copyFileSync(from.certificate, files.certificate);
    copyFileSync(from.key, files.key);
  };

  beforeEach(() => {
    install(first);
    told = [];
    stopped = false;
    const stop = watchKeyPair({
      files,
      pair: pairOf(files),
      every: (_intervalMs, callback) => {
        look = callback;
        return () => {
          stopped = true;
        };
      },
      onRenewed: ({ certificate }) => told.push(certificate.equals(readFileSync(second.certificate)) ? 'second' : '?'),
      onFault: ({ at }) => told.push(`fault of the ${at}`),
    });
    stopLooking = stop;
  });
  let stopLooking: () => void;
  afterEach(() => stopLooking());

  it('is left alone while the files say the same', () => {
    look();
    install(first);
    look();
    assert.deepEqual(told, []);
  });

  it('is replaced, once, when they hold another', () => {
    install(second);
    look();
    look();
    assert.deepEqual(told, ['second']);
  });

  it('stays when they are broken, which is told once, and is replaced when they are whole', () => {
    copyFileSync(second.certificate, files.certificate);
    look();
    look();
    copyFileSync(second.key, files.key);
    look();
    assert.deepEqual(told, ['fault of the key', 'second']);
  });

  it('stays when they are gone or emptied, and when they come back as they were', () => {
    rmSync(files.key);
    look();
    writeFileSync(files.key, '');
    look();
    install(first);
    look();
    assert.deepEqual(told, ['fault of the key', 'fault of the key']);
  });

  it('is not looked at any more when nobody wants to know', () => {
    stopLooking();
    assert.equal(stopped, true);
  });
});
