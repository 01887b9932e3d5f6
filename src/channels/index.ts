export {
  Channel,
  type ChannelLimits,
  type ChannelPorts,
  type ChannelUse,
  type Thumbnail,
  type Timers,
} from './channel.ts';
export { Channels } from './channels.ts';
export type { FilmMove, FilmPorts, FilmPosition, FilmUse } from './film-use.ts';
export { chooseAudio, chooseVideo, type VideoWish } from './renditions.ts';
