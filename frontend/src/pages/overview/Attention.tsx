import { Alert, Anchor, Stack, Text } from '@mantine/core'
import type { Attention as Item } from '../../api/types'
import { Icon } from '../../parts/icons'

/** What needs a hand: what happened, how to mend it, where. */
export function Attention({ items }: { items: Item[] }) {
  if (items.length === 0) return null
  return (
    <Alert color="orange" variant="light" icon={<Icon name="warn" />} title={items.length === 1 ? 'One thing needs your attention' : `${items.length} things need your attention`}>
      <Stack gap={6}>
        {items.map((item, at) => (
          <Text key={`${item.code}-${at}`} size="sm">
            <b>{item.message}</b> {item.mend} {item.link ? <Anchor href={item.link} size="sm" underline="always">Show</Anchor> : null}
          </Text>
        ))}
      </Stack>
    </Alert>
  )
}
