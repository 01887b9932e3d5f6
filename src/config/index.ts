export { readAuthorities } from './authorities.ts';
export type {
  ChannelConfig,
  Config,
  GuideConfig,
  LadderRung,
  PlatformConfig,
  PlaylistConfig,
  SourcesConfig,
} from './config.ts';
export { DEMO_FILM, withDemoChannels } from './demo.ts';
export { type KeyPair, type KeyPairFault, type KeyPairFiles, readKeyPair } from './key-pair.ts';
export { watchKeyPair } from './key-pair-watch.ts';
export { defaultConfig, type LoadOptions, loadConfig, parseConfig } from './load.ts';
export { isWithin } from './networks.ts';
export { type ChannelWish, withChannels } from './numbering.ts';
export { sourceRefusal } from './sources.ts';
