export { deriveKeys, keyingMaterialBytes, type MasterKey, splitKeyingMaterial, srtpProfile } from './keys.ts';
export { SrtcpReceiver, SrtcpSender } from './srtcp.ts';
