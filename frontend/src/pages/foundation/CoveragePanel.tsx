import { Group, Progress, Stack, Text } from '@mantine/core'
import type { UseQueryResult } from '@tanstack/react-query'
import type { ModelCard, Page } from '../../api/types'
import { share } from '../../format/number'
import { AnchorLink } from '../../parts/links'
import { LiftValue } from '../../parts/LiftValue'
import { Panel } from '../../parts/Panel'
import { Resource } from '../../states/Resource'

/** How much of each model's data the FM has labelled, and what that gained. */
export function CoveragePanel({ tenant, query, className }: { tenant: string; query: UseQueryResult<Page<ModelCard>>; className: string }) {
  return (
    <Panel title="Coverage and lift per model" note="Share of rows that carried a label of the foundation model" className={className}>
      <Resource query={query} isEmpty={(page) => page.results.length === 0} empty={<Text size="sm" className="quiet">No model yet.</Text>}>
        {(page) => (
          <Stack gap="md">
            {page.results.map((model) => (
              <div key={model.id}>
                <Group justify="space-between" wrap="nowrap" gap="xs">
                  <AnchorLink to="/t/$tenant/models/$model" params={{ tenant, model: model.id }} size="sm" fw={600} style={{ overflowWrap: 'anywhere' }}>{model.name}</AnchorLink>
                  <Text component="div" size="sm"><LiftValue lift={model.lift} reason={false} /></Text>
                </Group>
                <Progress mt={4} value={(model.coverage ?? 0) * 100} color="ink.6" aria-label={`${model.name}: ${share(model.coverage)} covered`} />
                <Text size="xs" className="quiet num">{model.coverage === null ? 'nothing labelled yet' : `${share(model.coverage)} covered`}</Text>
              </div>
            ))}
          </Stack>
        )}
      </Resource>
    </Panel>
  )
}
