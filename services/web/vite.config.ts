import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Two pages that load apart: the call screen at /, the operators' console at /console. And what a mistyped address leads to. */
export default defineConfig({
  root: at('page'),
  plugins: [react()],
  build: {
    outDir: at('dist/page'),
    emptyOutDir: true,
    target: 'es2022',
    // Inlined as data: they would need a wider Content-Security-Policy.
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: {
        call: at('page/index.html'),
        console: at('page/console.html'),
        'not-found': at('page/not-found.html'),
      },
    },
  },
  // For work on the page itself: `npx vite` beside a running `npm start`.
  server: { port: 3001, proxy: { '/api': 'http://localhost:8080' } },
});
