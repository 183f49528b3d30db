import { Table, Text } from '@mantine/core'
import type { Costs } from '../../api/types'
import { money } from '../../format/money'
import { AnchorLink } from '../../parts/links'
import { Panel } from '../../parts/Panel'
import { Scroll } from '../../parts/Scroll'

export function ByModel({ tenant, costs, className }: { tenant: string; costs: Costs; className: string }) {
  const show = (value: string) => money(value, costs.currency)
  return (
    <Panel title="By model" className={className}>
      {costs.models.length === 0 ? <Text size="sm" className="quiet">Nothing charged yet.</Text> : (
        <Scroll label="Costs by model">
          <Table fz="sm" className="num">
            <Table.Thead><Table.Tr><Table.Th scope="col">Model</Table.Th><Table.Th scope="col" ta="right">Training</Table.Th><Table.Th scope="col" ta="right">Measurement</Table.Th><Table.Th scope="col" ta="right">FM share</Table.Th><Table.Th scope="col" ta="right">In all</Table.Th></Table.Tr></Table.Thead>
            <Table.Tbody>
              {costs.models.map((model) => (
                <Table.Tr key={model.id}>
                  <Table.Th scope="row" fw={400}><AnchorLink to="/t/$tenant/models/$model" params={{ tenant, model: model.id }} size="sm">{model.name}</AnchorLink></Table.Th>
                  <Table.Td ta="right">{show(model.training)}</Table.Td><Table.Td ta="right">{show(model.measurement)}</Table.Td><Table.Td ta="right">{show(model.fm_share)}</Table.Td><Table.Td ta="right" fw={650}>{show(model.total)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Scroll>
      )}
    </Panel>
  )
}
