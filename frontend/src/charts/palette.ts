/** Chart colours per scheme, from the Okabe–Ito set: told apart with every common form of colour blindness. */
import { useComputedColorScheme } from '@mantine/core'

export interface Palette {
  control: string
  treatment: string
  gain: string
  loss: string
  unclear: string
  text: string
  quiet: string
  grid: string
  page: string
}

const LIGHT: Palette = {
  control: '#b35c00',
  treatment: '#0067ab',
  gain: '#00795a',
  loss: '#b03a00',
  unclear: '#6b7482',
  text: '#1b1f24',
  quiet: '#5b6472',
  grid: '#e6e9ee',
  page: '#ffffff',
}

const DARK: Palette = {
  control: '#f0a848',
  treatment: '#62bdf2',
  gain: '#4fd0a5',
  loss: '#ff9b66',
  unclear: '#9aa5b5',
  text: '#e6e9ee',
  quiet: '#a3adbb',
  grid: '#2c323b',
  page: '#1a1e24',
}

export function usePalette(): Palette {
  return useComputedColorScheme('light') === 'dark' ? DARK : LIGHT
}

/** The same colour, see-through, for interval bands. */
export function fade(hex: string, alpha: number): string {
  const n = Number.parseInt(hex.slice(1), 16)
  return `rgba(${(n >> 16) & 255}, ${(n >> 8) & 255}, ${n & 255}, ${alpha})`
}
