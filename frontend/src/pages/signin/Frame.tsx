import { Center, Paper, Stack, Text, Title } from '@mantine/core'
import { type ReactNode, useEffect } from 'react'
import { Mark } from '../../parts/icons'

/** The frame of pages that work signed out: the mark, one heading, one card. */
export function Frame({ title, tab, sub, children }: { title: string; tab: string; sub?: ReactNode; children: ReactNode }) {
  useEffect(() => { document.title = `${tab} · ExFM` }, [tab])
  return (
    <Center component="main" mih="100vh" p="md">
      <Stack w="100%" maw={400} gap="lg">
        <Stack align="center" gap={6} ta="center">
          <Mark size={44} />
          <Title order={1}>{title}</Title>
          {sub ? <Text component="div" className="quiet">{sub}</Text> : null}
        </Stack>
        <Paper withBorder p="lg" radius="md">{children}</Paper>
      </Stack>
    </Center>
  )
}

/** The secret after the `#` of a one-time link; it never reaches a server's log. */
export const secretOfLink = () => window.location.hash.slice(1)
