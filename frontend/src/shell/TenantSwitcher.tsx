import { Button, Combobox, Text, useCombobox } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import type { Me } from '../api/types'
import { count } from '../format/number'
import { Icon } from '../parts/icons'
import { matching } from './tenants'

/** As many as are seen at a glance; more come with a search. */
const FEW = 7

/** The tenant on screen with the person's role there, and the way to the others. With a single tenant it is only a name. */
export function TenantSwitcher({ me, tenant }: { me: Me; tenant: string }) {
  const navigate = useNavigate()
  const [search, setSearch] = useState('')
  const many = me.memberships.length > FEW
  const list = useCombobox({
    onDropdownOpen: () => { if (many) list.focusSearchInput() },
    onDropdownClose: () => {
      list.resetSelectedOption()
      list.focusTarget()
      setSearch('')
    },
  })
  const { selectFirstOption } = list
  useEffect(() => { if (search) selectFirstOption() }, [search, selectFirstOption])

  const current = me.memberships.find((each) => each.tenant.slug === tenant)
  const name = current?.tenant.name ?? tenant
  const label = <Text fw={600} title={name} truncate="end" maw={{ base: 150, sm: 260 }}>{name}</Text>
  if (me.memberships.length < 2 && current) return label

  const found = matching(me.memberships, search, tenant)
  const go = (slug: string) => {
    list.closeDropdown()
    void navigate({ to: '/t/$tenant', params: { tenant: slug } })
  }
  return (
    <Combobox store={list} onOptionSubmit={go} position="bottom-start" width={320} shadow="md">
      <Combobox.Target targetType="button">
        <Button variant="subtle" color="gray" px="xs" rightSection={<Icon name="down" size={16} />} onClick={() => list.toggleDropdown()} aria-label={`Tenant: ${name}. Switch`} style={{ color: 'inherit', minWidth: 0 }}>{label}</Button>
      </Combobox.Target>
      <Combobox.Dropdown>
        {many ? <Combobox.Search aria-label="Search your tenants" placeholder={`Search ${count(me.memberships.length)} tenants`} leftSection={<Icon name="search" size={16} />} value={search} onChange={(event) => setSearch(event.currentTarget.value)} /> : null}
        <Combobox.Options aria-label="Your tenants" mah={340} style={{ overflowY: 'auto' }}>
          {found.map(({ tenant: each, role }) => (
            <Combobox.Option key={each.id} value={each.slug} active={each.slug === tenant} aria-current={each.slug === tenant || undefined}>
              <span className="choice"><span>{each.name}</span><span className="quiet">{role}</span><span className="choice-mark">{each.slug === tenant ? <Icon name="check" size={16} /> : null}</span></span>
            </Combobox.Option>
          ))}
        </Combobox.Options>
        {found.length === 0 ? <Text size="sm" className="quiet" ta="center" py="xs" role="status">No tenant of yours matches.</Text> : null}
      </Combobox.Dropdown>
    </Combobox>
  )
}
