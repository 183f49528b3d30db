import { Button, Group } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { sessionQuery } from '../../api/queries'
import type { Foundation } from '../../api/types'

/** For platform administrators: the way to the page of the operators' admin, a process apart, that says what would change
 * and takes the published snapshot back. */
export function TakeBack({ data }: { data: Foundation }) {
  const me = useQuery(sessionQuery).data
  if (!me?.user.is_platform_admin || !data.id || !data.snapshot) return null
  const page = `${me.admin_origin}/admin/registry/foundationmodel/${data.id}/roll-back/`
  return <Group justify="flex-end"><Button component="a" href={page} size="compact-sm" variant="default">Take the snapshot back…</Button></Group>
}
