/**
 * The offer with `stereo=1` for Opus (RFC 7587 §6.1). Browsers decode to one channel unless their own description says
 * that they prefer two, and have no other switch for it.
 */
export function preferStereo(sdp: string): string {
  const payloadType = sdp.match(/^a=rtpmap:(\d+) opus\/48000\/2/im)?.[1];
  if (payloadType === undefined) return sdp;
  return sdp.replace(new RegExp(`^(a=fmtp:${payloadType} )(?!.*\\bstereo=)(.*?)(\\r?)$`, 'm'), '$1$2;stereo=1$3');
}
