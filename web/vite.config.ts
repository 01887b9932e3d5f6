import { defineConfig } from 'vite';

export default defineConfig({
  root: `${import.meta.dirname}/watch`,
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    // Browsers that have requestVideoFrameCallback and jitterBufferTarget have all of this.
    target: ['chrome124', 'firefox130', 'safari17.4'],
    // The content security policy allows neither inline code nor data: fonts and scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { '/api': 'http://localhost:8080', '/sip': { target: 'ws://localhost:8080', ws: true } } },
});
