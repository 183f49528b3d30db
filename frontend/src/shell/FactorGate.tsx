import { useLocation } from '@tanstack/react-router'
import { PageHead } from '../parts/PageHead'
import { ButtonLink } from '../parts/links'
import { Empty } from '../states/States'

/** In place of a tenant's pages while it asks this session for a second factor; the other tenants stay in reach above. */
export function FactorGate({ name }: { name: string }) {
  const next = useLocation({ select: (location) => location.href })
  return (
    <>
      <PageHead title={name} tab={name} />
      <Empty title="A second factor is required here" icon="lock" action={<ButtonLink to="/account" search={{ next }}>Go to your account</ButtonLink>}>
        The owners of this tenant ask every member for one, and you have shown none since you signed in. Set up an authenticator app, or give its code if you have one; then you come back here.
      </Empty>
    </>
  )
}
