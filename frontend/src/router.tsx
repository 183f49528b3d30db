/** Addresses of all pages. Filters live in the search part of an address, so that a view can be shared. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router'
import { Problem } from './api/problem'
import { queryClient, sessionQuery, signedOut } from './api/queries'
import { Home } from './pages/Home'
import type { AuditWanted } from './api/queries'
import type { ModelFilter } from './pages/models/filter'
import { Crash, Missing, RootCrash } from './pages/Lost'
import { SignIn } from './pages/signin/SignIn'
import { Shell } from './shell/Shell'

export interface RunFilter {
  state?: string | undefined
  model?: string | undefined
}

export interface DataFilter {
  stream?: string | undefined
  partition?: string | undefined
  state?: string | undefined
  since?: string | undefined
  until?: string | undefined
  /** Cursor of a later page of partitions. */
  page?: string | undefined
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

const rootRoute = createRootRoute({ notFoundComponent: Missing, errorComponent: RootCrash })

const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sign-in',
  validateSearch: (search: Record<string, unknown>): { next?: string | undefined; problem?: string | undefined; step?: string | undefined } => ({
    next: text(search.next),
    problem: text(search.problem),
    step: text(search.step),
  }),
  component: SignIn,
})

/** Links with a one-time secret after the `#`; they work signed out as well. */
const invitationRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/invitation',
  component: lazyRouteComponent(() => import('./pages/signin/Invitation'), 'Invitation'),
})
const resetRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/reset',
  component: lazyRouteComponent(() => import('./pages/signin/Reset'), 'Reset'),
})

/** Everything below needs a session; without one the visitor signs in and comes back. */
const insideRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'inside',
  beforeLoad: async ({ location }) => {
    try {
      await queryClient.query({ ...sessionQuery, staleTime: 'static' })
    } catch (error) {
      if (error instanceof Problem && error.status === 401) {
        // TanStack Router's redirects are thrown by design.
        // eslint-disable-next-line @typescript-eslint/only-throw-error
        throw redirect({ to: '/sign-in', search: { next: location.href === '/' ? undefined : location.href } })
      }
      throw error
    }
  },
})

const homeRoute = createRoute({ getParentRoute: () => insideRoute, path: '/', component: Home })
const tenantRoute = createRoute({ getParentRoute: () => insideRoute, path: '/t/$tenant', component: Shell })

const overviewRoute = createRoute({
  getParentRoute: () => tenantRoute,
  path: '/',
  component: lazyRouteComponent(() => import('./pages/overview/Overview'), 'Overview'),
})
const modelsRoute = createRoute({
  getParentRoute: () => tenantRoute,
  path: '/models',
  validateSearch: (search: Record<string, unknown>): ModelFilter => ({
    q: text(search.q),
    task: text(search.task),
    status: text(search.status),
    sort: text(search.sort),
  }),
  component: lazyRouteComponent(() => import('./pages/models/Models'), 'Models'),
})
const modelRoute = createRoute({
  getParentRoute: () => tenantRoute,
  path: '/models/$model',
  validateSearch: (search: Record<string, unknown>): { tab?: string | undefined } => ({ tab: text(search.tab) }),
  component: lazyRouteComponent(() => import('./pages/model/Model'), 'ModelPage'),
})
const runsRoute = createRoute({
  getParentRoute: () => tenantRoute,
  path: '/runs',
  validateSearch: (search: Record<string, unknown>): RunFilter => ({ state: text(search.state), model: text(search.model) }),
  component: lazyRouteComponent(() => import('./pages/runs/Runs'), 'Runs'),
})
const runRoute = createRoute({
  getParentRoute: () => tenantRoute,
  path: '/runs/$run',
  component: lazyRouteComponent(() => import('./pages/run/Run'), 'RunPage'),
})
const dataRoute = createRoute({
  getParentRoute: () => tenantRoute,
  path: '/data',
  validateSearch: (search: Record<string, unknown>): DataFilter => ({
    page: text(search.page),
    stream: text(search.stream),
    partition: text(search.partition),
    state: text(search.state),
    since: text(search.since),
    until: text(search.until),
  }),
  component: lazyRouteComponent(() => import('./pages/data/Data'), 'Data'),
})
const costsRoute = createRoute({
  getParentRoute: () => tenantRoute,
  path: '/costs',
  component: lazyRouteComponent(() => import('./pages/costs/Costs'), 'CostsPage'),
})
const foundationRoute = createRoute({
  getParentRoute: () => tenantRoute,
  path: '/foundation',
  component: lazyRouteComponent(() => import('./pages/foundation/Foundation'), 'FoundationPage'),
})
const accessRoute = createRoute({
  getParentRoute: () => tenantRoute,
  path: '/access',
  component: lazyRouteComponent(() => import('./pages/access/Access'), 'Access'),
})

const auditRoute = createRoute({
  getParentRoute: () => tenantRoute,
  path: '/audit',
  validateSearch: (search: Record<string, unknown>): AuditWanted => ({
    actor: text(search.actor),
    action: text(search.action),
    q: text(search.q),
    since: text(search.since),
    until: text(search.until),
  }),
  component: lazyRouteComponent(() => import('./pages/audit/Audit'), 'Audit'),
})
const accountRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: '/account',
  validateSearch: (search: Record<string, unknown>): { next?: string | undefined } => ({ next: text(search.next) }),
  component: lazyRouteComponent(() => import('./pages/account/Account'), 'AccountPage'),
})

const webhooksRoute = createRoute({
  getParentRoute: () => tenantRoute,
  path: '/webhooks',
  validateSearch: (search: Record<string, unknown>): { webhook?: string | undefined } => ({ webhook: text(search.webhook) }),
  component: lazyRouteComponent(() => import('./pages/webhooks/Webhooks'), 'Webhooks'),
})

const routeTree = rootRoute.addChildren([
  signInRoute,
  invitationRoute,
  resetRoute,
  insideRoute.addChildren([
    homeRoute,
    accountRoute,
    tenantRoute.addChildren([overviewRoute, modelsRoute, modelRoute, runsRoute, runRoute, dataRoute, costsRoute, foundationRoute, accessRoute, webhooksRoute, auditRoute]),
  ]),
])

export const router = createRouter({ routeTree, scrollRestoration: true, defaultPreload: 'intent', defaultErrorComponent: Crash })

signedOut.handler = () => {
  window.location.assign(`/sign-in?${new URLSearchParams({ next: router.state.location.href }).toString()}`)
}

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
