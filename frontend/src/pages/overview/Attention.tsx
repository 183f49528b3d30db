import { Anchor, Group, Stack, Text } from '@mantine/core'
import type { Attention as Item } from '../../api/types'
import { Icon } from '../../parts/icons'

/** What needs a hand: what happened, how to mend it, where. */
export function Attention({ items }: { items: Item[] }) {
  if (items.length === 0) return null
  return (
    <section className="panel attention" aria-label="What needs attention">
      <Stack gap={6}>
        {items.map((item, at) => (
          <Group key={`${item.code}-${at}`} gap="xs" wrap="nowrap" align="flex-start">
            <span className="warn"><Icon name="warn" /></span>
            <Text size="sm">
              <b>{item.message}</b> {item.mend} {item.link ? <Anchor href={item.link} size="sm" underline="always">Show</Anchor> : null}
            </Text>
          </Group>
        ))}
      </Stack>
    </section>
  )
}
