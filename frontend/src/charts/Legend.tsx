import { Group, Text } from '@mantine/core'
import type { Line } from './TimeSeries'

/** Names the lines; dash and shape repeat what colour says. */
export function Legend({ lines }: { lines: Line[] }) {
  return (
    <Group gap="md" mb={4} wrap="wrap">
      {lines.map((line) => (
        <Group key={line.label} gap={6} wrap="nowrap">
          <svg width={24} height={12} aria-hidden>
            {line.look === 'line' ? (
              <>
                {line.low ? <rect x={0} y={1} width={24} height={10} fill={line.colour} opacity={0.18} /> : null}
                <line x1={0} x2={24} y1={6} y2={6} stroke={line.colour} strokeWidth={2.2} strokeDasharray={line.dash?.join(' ')} />
              </>
            ) : (
              <>
                <line x1={12} x2={12} y1={0} y2={12} stroke={line.colour} strokeWidth={1.5} opacity={0.6} />
                <circle cx={12} cy={6} r={3} fill={line.colour} />
              </>
            )}
          </svg>
          <Text size="sm">{line.label}</Text>
        </Group>
      ))}
    </Group>
  )
}
