import { AV_BUFFERSRC_FLAG_KEEP_REF, AV_PIX_FMT_BGRA } from 'node-av/constants';
import { Filter, type FilterContext, FilterGraph, Frame } from 'node-av/lib';
import type { Layer } from './layer.ts';

/** Lays layers over pictures, which become 8 bits in 4:2:0, as viewers get them; each with FFmpeg's filters for as long as neither changes its form. */
export class Overlay {
  #graph: FilterGraph | null = null;
  #input: FilterContext | null = null;
  #output: FilterContext | null = null;
  #layer: Layer | null = null;
  #description = '';

  /** The picture with the layer on it, which is the caller's to free; null when FFmpeg refuses it. */
  draw(picture: Frame, layer: Layer): Frame | null {
    const { num, den } = picture.sampleAspectRatio;
    const description = `video_size=${picture.width}x${picture.height}:pix_fmt=${picture.format}:time_base=1/1000000:pixel_aspect=${num}/${den || 1}`;
    if (layer !== this.#layer || description !== this.#description) {
      this.close();
      try {
        if (!this.#build(description, layer)) return null;
      } catch {
        return null;
      }
    }
    this.#input!.buffersrcAddFrameSync(picture, AV_BUFFERSRC_FLAG_KEEP_REF);
    const drawn = new Frame();
    drawn.alloc();
    if (this.#output!.buffersinkGetFrameSync(drawn) >= 0) return drawn;
    drawn.free();
    return null;
  }

  /** It may be used again. */
  close(): void {
    this.#graph?.free();
    this.#graph = null;
    this.#layer = null;
    this.#description = '';
  }

  #build(description: string, layer: Layer): boolean {
    const graph = new FilterGraph();
    graph.alloc();
    graph.nbThreads = 1;
    this.#graph = graph;
    const make = (name: string, id: string, args: string) =>
      graph.createFilter(Filter.getByName(name)!, id, args || null)!;
    const { frame, x, y, width, height } = layer;
    const form = `video_size=${frame.width}x${frame.height}:pix_fmt=${AV_PIX_FMT_BGRA}:time_base=1/1000000`;
    const [main, over] = [make('buffer', 'main', description), make('buffer', 'over', form)];
    const scale = make('scale', 'scale', `w=${width}:h=${height}:flags=bilinear`);
    const overlay = make('overlay', 'overlay', `x=${x}:y=${y}:eof_action=repeat`);
    const sink = make('buffersink', 'sink', '');
    main.link(0, overlay, 0);
    over.link(0, scale, 0);
    scale.link(0, overlay, 1);
    overlay.link(0, sink, 0);
    if (graph.configSync() < 0) return false;
    frame.pts = 0n;
    over.buffersrcAddFrameSync(frame, AV_BUFFERSRC_FLAG_KEEP_REF);
    // There is no other: it is seen from now on.
    over.buffersrcAddFrameSync(null);
    [this.#input, this.#output, this.#layer, this.#description] = [main, sink, layer, description];
    return true;
  }
}
