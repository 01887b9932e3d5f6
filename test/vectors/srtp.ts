/** SRTP and SRTCP as others computed them, in hexadecimal; blanks are for the eye. */

/** RFC 7714 §16.1.1: AEAD_AES_128_GCM over RTP, rollover counter 0. The key is a session key. */
export const GCM_RTP = {
  key: '000102030405060708090a0b0c0d0e0f',
  salt: '517569642070726f2071756f',
  plain: `
    8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976
    69736120 696e2070 61727465 73207472 6573`,
  protected: `
    8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5
    0d294e6f 42a5f47a 51c7d19b 36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce`,
};

/** RFC 7714 §17.1: the same for SRTCP with index 0x5d4. */
export const GCM_RTCP = {
  key: GCM_RTP.key,
  salt: GCM_RTP.salt,
  plain: `
    81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61
    deadbeef deadbeef deadbeef deadbeef deadbeef`,
  protected: `
    81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d
    c676a5f1 730d6fda 4ce09b46 86303ded 0bb9275b c84aa458 96cf4d2f c5abf872
    45d9eade 800005d4`,
};

/** RFC 3711 §B.2: AES-CM keystream of SSRC 0 and packet index 0. */
export const AES_CM = {
  key: '2b7e151628aed2a6abf7158809cf4f3c',
  salt: 'f0f1f2f3f4f5f6f7f8f9fafbfcfd',
  keystream: `
    e03ead09 35c95e80 e166b16d d92b4eb4 d2351316 2b02d0f7 2a43a2fe 4a5f97ab
    41e95b3b b0a2e8dd 477901e4 fca894c0`,
};

/** RFC 3711 §B.3: key derivation for RTP. */
export const KEY_DERIVATION = {
  masterKey: 'e1f97a0d3e018be0d64fa32c06de4139',
  masterSalt: '0ec675ad498afeebb6960b3aabe6',
  key: 'c61e7a93744f39ee10734afe3ff7a087',
  salt: '30cbbc08863d8c85d49db34a9ae1',
  authenticationKey: 'cebe321f6ff7716b6fd4ab49af256a156d38baa4',
};

/**
 * The reference packets of libsrtp's test/srtp_driver.c (srtp_validate) for AES_CM_128_HMAC_SHA1_80, under the master
 * key of RFC 3711 §B.3: sequence number 0x1234 and rollover counter 0; for SRTCP, index 1.
 */
export const HMAC_RTP = {
  plain: '800f1234 decafbad cafebabe abababab abababab abababab abababab',
  protected: '800f1234 decafbad cafebabe 4e55dc4c e79978d8 8ca4d215 949d2402 b78d6acc 99ea179b 8dbb',
};
export const HMAC_RTCP = {
  plain: '81c8000b cafebabe abababab abababab abababab abababab',
  protected: '81c8000b cafebabe 7128035b e487b9bd bef89041 f977a5a8 80000001 993e08cd 54d6c123 0798',
};
