import { Anchor, Group, Stack, Text } from '@mantine/core'
import type { Attention as Item } from '../../api/types'
import { usePermissions } from '../../parts/context'
import { Icon } from '../../parts/icons'
import { pageAt } from '../../parts/pages'

/** What needs a hand: what happened, how to mend it, where. */
export function Attention({ items }: { items: Item[] }) {
  const permissions = usePermissions()
  const opens = (link: string) => link !== '' && permissions.includes(pageAt(link)?.permission ?? '')
  if (items.length === 0) return null
  return (
    <section className="panel attention" aria-label="What needs attention">
      <Stack gap={6}>
        {items.map((item, at) => (
          <Group key={`${item.code}-${at}`} gap="xs" wrap="nowrap" align="flex-start">
            <span className="warn"><Icon name="warn" /></span>
            <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
              <b>{item.message}</b> {item.mend} {opens(item.link) ? <Anchor href={item.link} size="sm" underline="always">Show</Anchor> : null}
            </Text>
          </Group>
        ))}
      </Stack>
    </section>
  )
}
