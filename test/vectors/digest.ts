/** Examples of digest access authentication, as they stand in the RFCs. */

export interface DigestVector {
  readonly origin: string;
  readonly password: string;
  readonly method: string;
  /** The Authorization header of the client. */
  readonly authorization: string;
  /** Its `response` parameter. */
  readonly response: string;
}

const RFC_7616 = (algorithm: string, response: string) =>
  `Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=${algorithm}, ` +
  `nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, ` +
  `cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, response="${response}", ` +
  `opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`;

const MD5 = '8ca523f5e9506fed4657c9700eebdbec';
const SHA_256 = '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1';
const RFC_2617 = '6629fae49393a05397450978507c4ef1';

export const DIGEST_VECTORS: readonly DigestVector[] = [
  {
    origin: 'RFC 7616 §3.9.1, MD5',
    password: 'Circle of Life',
    method: 'GET',
    authorization: RFC_7616('MD5', MD5),
    response: MD5,
  },
  {
    origin: 'RFC 7616 §3.9.1, SHA-256',
    password: 'Circle of Life',
    method: 'GET',
    authorization: RFC_7616('SHA-256', SHA_256),
    response: SHA_256,
  },
  {
    origin: 'RFC 2617 §3.5',
    password: 'Circle Of Life',
    method: 'GET',
    authorization:
      'Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", ' +
      'uri="/dir/index.html", qop=auth, nc=00000001, cnonce="0a4f113b", ' +
      `response="${RFC_2617}", opaque="5ccc069c403ebaf9f0171e9517f40e41"`,
    response: RFC_2617,
  },
];
