import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

const backend = process.env.EXFM_BACKEND ?? 'http://127.0.0.1:8000'

export default defineConfig({
  base: '/',
  plugins: [react()],
  build: { outDir: 'dist', manifest: true, assetsDir: 'assets', assetsInlineLimit: 0, target: 'es2022', chunkSizeWarningLimit: 700 },
  server: { proxy: { '/api': backend, '/healthz': backend } },
  test: { environment: 'node', include: ['src/**/*.test.ts'], testTimeout: 60_000 },
})
