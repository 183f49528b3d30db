import { Group, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { Hint } from './Hint'

interface FigureProps {
  label: string
  children: ReactNode
  /** A second line: what the figure is made of. */
  sub?: ReactNode
  hint?: ReactNode
  size?: 'md' | 'lg'
}

/** One labelled number. */
export function Figure({ label, children, sub, hint, size = 'md' }: FigureProps) {
  return (
    <div style={{ minWidth: 0 }}>
      <Group gap={4} wrap="nowrap" mih={24}>
        <Text size="sm" className="quiet">{label}</Text>
        {hint ? <Hint about={label}>{hint}</Hint> : null}
      </Group>
      <Text component="div" className="num" fw={650} fz={size === 'lg' ? 26 : 18} lh={1.3}>{children}</Text>
      {sub ? <Text component="div" size="sm" className="quiet">{sub}</Text> : null}
    </div>
  )
}
