/** Line icons, drawn on a 20 × 20 grid; decoration only, so hidden from assistive technology. */
const PATHS = {
  overview: 'M3 11 10 4l7 7M5 9.5V16h10V9.5',
  models: 'M10 3 16.5 6.5 10 10 3.5 6.5zM3.5 10 10 13.5 16.5 10M3.5 13.5 10 17l6.5-3.5',
  runs: 'M6 4.5v11l9-5.5z',
  data: 'M4 5.5C4 4.1 6.7 3 10 3s6 1.1 6 2.5S13.3 8 10 8 4 6.9 4 5.5v9C4 15.9 6.7 17 10 17s6-1.1 6-2.5v-9M4 10c0 1.4 2.7 2.5 6 2.5s6-1.1 6-2.5',
  costs: 'M5 3.5h10v13l-2.5-1.5L10 16.5 7.5 15 5 16.5zM7.5 7.5h5M7.5 10.5h5',
  foundation: 'M10 4a2 2 0 1 0 .01 0M10 8v3M10 11 5 14M10 11v3M10 11l5 3M5 14.5a1.2 1.2 0 1 0 .01 0M10 14.5a1.2 1.2 0 1 0 .01 0M15 14.5a1.2 1.2 0 1 0 .01 0',
  access: 'M7 9V6.5a3 3 0 0 1 6 0V9M5 9h10v7H5zM10 12v1.5',
  webhooks: 'M5 13.5a2 2 0 1 0 .01 0M15 13.5a2 2 0 1 0 .01 0M10 3.5a2 2 0 1 0 .01 0M9 7l-3 6.5M11 7l3 6.5M7 15.5h6',
  sun: 'M10 6.5a3.5 3.5 0 1 0 .01 0M10 2v1.5M10 16.5V18M2 10h1.5M16.5 10H18M4.3 4.3l1.1 1.1M14.6 14.6l1.1 1.1M4.3 15.7l1.1-1.1M14.6 5.4l1.1-1.1',
  moon: 'M16 12.2A6.5 6.5 0 0 1 7.8 4a6.5 6.5 0 1 0 8.2 8.2z',
  down: 'M5.5 8 10 12.5 14.5 8',
  up: 'M5.5 12 10 7.5 14.5 12',
  check: 'M4.5 10.5 8 14l7.5-8',
  copy: 'M7 7V4h9v9h-3M4 7h9v9H4z',
  stop: 'M5.5 5.5h9v9h-9z',
  pause: 'M7 5v10M13 5v10',
  save: 'M10 3.5v9M6.5 9.5 10 13l3.5-3.5M4 16.5h12',
  info: 'M10 3a7 7 0 1 0 .01 0M10 9v4.5M10 6.5v.2',
  warn: 'M10 3.5 17 16H3zM10 8.5v3.5M10 14v.2',
  out: 'M8 4H4v12h4M8.5 10H17M13.5 6.5 17 10l-3.5 3.5',
  away: 'M8 5H5v10h10v-3M11 5h4v4M15 5l-6 6',
  table: 'M3.5 5h13v10h-13zM3.5 8.5h13M8.5 5v10',
  lock: 'M7 9V6.5a3 3 0 0 1 6 0V9M5 9h10v7H5z',
  plus: 'M10 4.5v11M4.5 10h11',
  search: 'M9 4a5 5 0 1 0 .01 0M12.7 12.7 16.5 16.5',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth={1.6} strokeLinecap="round" strokeLinejoin="round" aria-hidden focusable="false" style={{ flexShrink: 0 }}>
      <path d={PATHS[name]} />
    </svg>
  )
}

/** The product's mark: one teacher above three students. */
export function Mark({ size = 26 }: { size?: number }) {
  return <img src="/assets/mark.svg" width={size} height={size} alt="" />
}
