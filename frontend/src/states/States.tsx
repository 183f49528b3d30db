/** The four states every page has besides its content: loading, empty, error, forbidden. */
import { Alert, Button, Group, Skeleton, Stack, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'
import { Problem } from '../api/problem'
import { Icon, type IconName } from '../parts/icons'
import { Command } from '../parts/Command'
import { ButtonLink } from '../parts/links'

export function Loading({ rows = 3, label = 'Loading' }: { rows?: number; label?: string }) {
  return (
    <Stack role="status" aria-label={label} gap="sm">
      {Array.from({ length: rows }, (_, row) => <Skeleton key={row} height={row === 0 ? 28 : 76} radius="md" width={row === 0 ? '40%' : '100%'} />)}
    </Stack>
  )
}

interface EmptyProps {
  title: string
  children: ReactNode
  icon?: IconName
  /** The next step, as a command to copy. */
  command?: string
  action?: ReactNode
  /** Level of its heading; 1 where it is the whole page. */
  order?: 1 | 2
}

export function Empty({ title, children, icon = 'info', command, action, order = 2 }: EmptyProps) {
  return (
    <Stack align="center" gap="xs" py="xl" px="md" maw={620} mx="auto" ta="center">
      <span className="quiet"><Icon name={icon} size={32} /></span>
      <Title order={order} size="h3">{title}</Title>
      <Text component="div" className="quiet">{children}</Text>
      {command ? <div style={{ width: '100%' }}><Command>{command}</Command></div> : null}
      {action}
    </Stack>
  )
}

/** A failed request: what happened, how to mend it, and a way to try again. 403 and 404 speak for themselves. */
export function Failed({ error, retry }: { error: Error; retry?: () => void }) {
  const problem = error instanceof Problem ? error : null
  if (problem?.status === 403) {
    return (
      <Empty title={problem.code === 'second_factor_required' ? 'A second factor is required here' : 'Your role does not include this'} icon="lock">
        {problem.message} {problem.mend || 'Ask an owner of this tenant for a role that does.'}
      </Empty>
    )
  }
  if (problem?.status === 404) {
    return (
      <Empty title="Nothing here under that address" icon="search" action={<ButtonLink to="/" variant="default" mt="sm">To the overview</ButtonLink>}>
        It does not exist, or it belongs to a tenant you are not a member of. Check the address, or switch the tenant above.
      </Empty>
    )
  }
  return (
    <Alert color="red" variant="light" icon={<Icon name="warn" />} title={problem?.status === 0 ? 'No answer' : 'That did not work'} role="alert">
      <Text size="sm">{error.message} {problem?.mend}</Text>
      {problem?.requestId ? <Text size="xs" className="quiet">Request {problem.requestId}</Text> : null}
      {retry ? <Group mt="sm"><Button size="compact-sm" variant="default" onClick={retry}>Try again</Button></Group> : null}
    </Alert>
  )
}
