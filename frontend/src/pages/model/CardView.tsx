import { Button, CopyButton, List, Stack, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { Model } from '../../api/types'
import { Icon } from '../../parts/icons'
import { Panel } from '../../parts/Panel'
import { Resource } from '../../states/Resource'
import { cardQuery } from './queries'

/** The model card, rendered from committed figures, and as Markdown to take along. */
export function CardView({ tenant, model }: { tenant: string; model: Model }) {
  return (
    <Resource query={useQuery(cardQuery(tenant, model.id))}>
      {(card) => (
        <Panel title={card.title} note="Model card, from committed figures alone" aside={
          <CopyButton value={card.markdown}>{({ copied, copy }) => <Button size="compact-sm" variant="default" leftSection={<Icon name={copied ? 'check' : 'copy'} size={14} />} onClick={copy}>{copied ? 'Copied' : 'Copy Markdown'}</Button>}</CopyButton>
        }>
          <Stack gap="md">
            {card.sections.map((section) => (
              <div key={section.title}>
                <Title order={3}>{section.title}</Title>
                <List size="sm" spacing={2} styles={{ item: { overflowWrap: 'anywhere' } }}>{section.lines.map((line) => <List.Item key={line}>{line}</List.Item>)}</List>
              </div>
            ))}
          </Stack>
        </Panel>
      )}
    </Resource>
  )
}
