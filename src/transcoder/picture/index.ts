export { BLACK, Canvas, type Colour, WHITE } from './canvas.ts';
export { pictureFrame } from './picture-frame.ts';
