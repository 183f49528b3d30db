/** Colours, type and component defaults. The accent is a deep blue that keeps 4.5:1 on both schemes. */
import { createTheme, type MantineColorsTuple } from '@mantine/core'

const ink: MantineColorsTuple = ['#eef4ff', '#dbe6fb', '#b4caf4', '#8aacee', '#6792e8', '#4f80e2', '#2f66d8', '#1f4fbf', '#183f9a', '#122f75']
/** The greys of the dark scheme, in the tint of its page and panels. */
const dark: MantineColorsTuple = ['#dfe4ea', '#b7c0cc', '#929cab', '#6b7583', '#3b424d', '#333a44', '#262c35', '#1a1e24', '#15191e', '#121519']

export const theme = createTheme({
  primaryColor: 'ink',
  primaryShade: { light: 7, dark: 6 },
  colors: { ink, dark },
  autoContrast: true,
  cursorType: 'pointer',
  defaultRadius: 'md',
  fontFamily: "'Inter Variable', system-ui, -apple-system, 'Segoe UI', sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace",
  headings: {
    fontWeight: '650',
    sizes: {
      h1: { fontSize: '1.5rem', lineHeight: '1.25' },
      h2: { fontSize: '1.0625rem', lineHeight: '1.35' },
      h3: { fontSize: '0.9375rem', lineHeight: '1.4' },
    },
  },
  components: {
    Modal: { defaultProps: { closeButtonProps: { 'aria-label': 'Close' } } },
    Tooltip: { defaultProps: { withArrow: true, openDelay: 150, multiline: true, maw: 320, events: { hover: true, focus: true, touch: true } } },
    Badge: { defaultProps: { variant: 'light', radius: 'sm', size: 'md' }, styles: { root: { minWidth: 'max-content', maxWidth: 'none' }, label: { textTransform: 'none', fontWeight: 600 } } },
  },
})
