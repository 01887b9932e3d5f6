export { type Authentication, Authenticator, type AuthenticatorOptions, type Credentials } from './authenticator.ts';
export { type DigestAlgorithm, digestHa1, digestResponse, parseDigestAnswer } from './digest.ts';
export { DigestClient, type Login } from './digest-client.ts';
