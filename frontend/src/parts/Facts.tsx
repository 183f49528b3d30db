import { Group, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { Hint } from './Hint'

/** Label, value and an optional explanation. */
export type Fact = readonly [label: string, value: ReactNode, hint?: string]

/** A list of labelled values, marked up as a description list. */
export function Facts({ rows }: { rows: readonly Fact[] }) {
  return (
    <dl style={{ margin: 0 }}>
      {rows.map(([label, value, hint], at) => (
        <Group key={label} justify="space-between" wrap="nowrap" gap="sm" py={6} style={at ? { borderTop: '1px solid var(--line)' } : undefined}>
          <Group component="dt" gap={2} wrap="nowrap"><Text size="sm" className="quiet">{label}</Text>{hint ? <Hint about={label}>{hint}</Hint> : null}</Group>
          <Text component="dd" m={0} size="sm" className="num" ta="right">{value}</Text>
        </Group>
      ))}
    </dl>
  )
}
