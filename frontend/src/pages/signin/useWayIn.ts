import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect } from 'react'
import { sessionQuery } from '../../api/queries'
import { safe } from './next'

/** Leaves for `next` as soon as somebody is signed in. */
export function useWayIn(next: string | undefined) {
  const navigate = useNavigate()
  const signedIn = useQuery(sessionQuery).data !== undefined
  useEffect(() => { if (signedIn) void navigate({ href: safe(next), replace: true }) }, [signedIn, next, navigate])
}
