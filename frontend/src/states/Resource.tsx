import { Alert, Text } from '@mantine/core'
import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { PageHead } from '../parts/PageHead'
import { When } from '../parts/When'
import { Failed, Loading } from './States'

interface ResourceProps<T> {
  query: UseQueryResult<T>
  rows?: number
  /** The page's heading while there is no data to name it. */
  head?: string
  /** Shown instead of the content when `isEmpty` says so. */
  empty?: ReactNode
  isEmpty?: (data: T) => boolean
  children: (data: T) => ReactNode
}

/** Shows a query's data, or the state it is in. Older data stays on screen when a refresh fails, and says how old it is. */
export function Resource<T>({ query, rows, head, empty, isEmpty, children }: ResourceProps<T>) {
  const retry = () => void query.refetch()
  if (query.data === undefined) {
    return (
      <>
        {head ? <PageHead title={head} tab={head} /> : null}
        {query.error ? <Failed error={query.error} retry={retry} /> : <Loading rows={rows ?? 3} />}
      </>
    )
  }
  return (
    <>
      {query.error ? (
        <Alert color="orange" variant="light" mb="sm" role="status">
          <Text size="sm">Could not refresh: {query.error.message} These figures are from <When at={new Date(query.dataUpdatedAt).toISOString()} />.</Text>
        </Alert>
      ) : null}
      {isEmpty?.(query.data) ? empty : children(query.data)}
    </>
  )
}
