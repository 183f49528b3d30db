import { Button, Group, Select, Text, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Icon } from '../../parts/icons'
import { Failed, Loading } from '../../states/States'
import { ModelCosts } from './ModelCosts'
import { modelCostsQuery, type CostOrder } from './queries'

const ORDERS: { value: CostOrder; label: string }[] = [
  { value: '-cost', label: 'Costliest first' },
  { value: 'cost', label: 'Cheapest first' },
  { value: 'name', label: 'By name' },
]

/** Every model's cost: searched, ordered and read page by page. */
export function EveryModel({ tenant, currency }: { tenant: string; currency: string }) {
  const [typed, setTyped] = useState('')
  const [search] = useDebouncedValue(typed, 250)
  const [order, setOrder] = useState<CostOrder>('-cost')
  const query = useInfiniteQuery({ ...modelCostsQuery(tenant, { search, order }), placeholderData: keepPreviousData })
  const models = query.data?.pages.flatMap((page) => page.results) ?? []
  return (
    <>
      <Group gap="xs" mb="sm" role="search">
        <TextInput aria-label="Search costs by model or stream" placeholder="Search model or stream" leftSection={<Icon name="search" size={16} />} maxLength={200} value={typed} onChange={(event) => setTyped(event.currentTarget.value)} />
        <Select aria-label="Order of costs" data={ORDERS} value={order} allowDeselect={false} onChange={(chosen) => setOrder(chosen ?? '-cost')} w={160} />
      </Group>
      {query.isPending ? <Loading rows={3} /> : query.error && models.length === 0 ? <Failed error={query.error} retry={() => void query.refetch()} /> : models.length === 0 ? (
        <Text size="sm" className="quiet">No model matches.</Text>
      ) : <ModelCosts tenant={tenant} currency={currency} models={models} />}
      {query.hasNextPage ? <Button size="compact-sm" variant="default" mt="sm" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>Show more</Button> : null}
    </>
  )
}
